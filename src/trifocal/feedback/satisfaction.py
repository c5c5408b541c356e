"""Events -> how satisfied each session was, in [0, 1]: dwell, coming back, and conversion in one weighted mean.

Dwell: Yi et al., "Beyond clicks: dwell time for personalization", RecSys 2014: log dwell is close to normal
within a kind of content on a device, so the z-score of log dwell compares clicks across both. Here the z-score passes
the normal distribution function, so that 0.5 is the usual dwell of its category and device, and all lies in [0, 1].

Works on frames of canonical events; reads no file. It knows what was done, not why: nobody was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TypedDict

import numpy as np
import polars as pl
from scipy.special import ndtr

from trifocal import columns as c
from trifocal.feedback.config import SatisfactionConfig
from trifocal.types import EventType

__all__ = [
    "CONVERSION",
    "DWELL",
    "REPEAT",
    "SATISFACTION",
    "START",
    "DwellCell",
    "DwellNormaliser",
    "session_satisfaction",
]

START, DWELL, REPEAT, CONVERSION, SATISFACTION = "start", "dwell", "repeat", "conversion", "satisfaction"

_LOG_DWELL, _CLICKS, _MEAN, _DEVIATION = "log_dwell", "clicks", "mean", "deviation"
_POSITIVE, _END, _FIRST, _NEXT = "positive", "end", "first", "next"
# From the narrowest to the widest; a level leaves out what it does not name.
_LEVELS: tuple[tuple[str, ...], ...] = ((c.CATEGORY, c.DEVICE), (c.DEVICE,), ())
# Below a second nobody has looked; past half an hour, the gap that ends a session, nobody is looking any more.
_DWELL_BOUNDS_MS = (1000, 30 * 60_000)
# A spread of log dwell below this is rounding: all clicks took equally long.
_LEAST_DEVIATION = 1e-6
# As in `trifocal.data.histories.positives`, which this stage may not import; a test compares both.
_MIN_RATING = 4.0
_OPTIONAL: dict[str, pl.DataType] = {c.DEVICE: pl.String(), c.DWELL_MS: pl.Int64(), c.VALUE: pl.Float64()}


class CellState(TypedDict):
    """A `DwellCell` in JSON."""

    category: str | None
    device: str | None
    clicks: int
    mean: float
    deviation: float


@dataclass(frozen=True)
class DwellCell:
    """Log dwell of the clicks of one category on one device.

    Attributes:
        category: full path; None = of all categories.
        device: None = of all devices.
        clicks: how many were seen, those with a dwell only.
        mean: of the natural logarithm of dwell in milliseconds.
        deviation: standard deviation likewise, above 0.
    """

    category: str | None
    device: str | None
    clicks: int
    mean: float
    deviation: float


@dataclass(frozen=True)
class DwellNormaliser:
    """Dwell -> [0, 1], against what is usual for the category and the device. Stability: caller.

    ```
    (category, device)  ->  (device)  ->  all clicks  ->  unknown
                 too few clicks, or all equally long
    ```

    Attributes:
        cells: statistics, no two of one category and device.
    """

    cells: tuple[DwellCell, ...]

    @classmethod
    def fit(cls, events: pl.DataFrame, categories: pl.DataFrame, *, min_clicks: int = 50) -> DwellNormaliser:
        """Return the normaliser of the clicks of `events`, which are training events only.

        Args:
            events: canonical events; a column `dwell_ms` or `device` may be absent.
            categories: columns item_id and category; the canonical items are such a frame.
            min_clicks: a cell with fewer is left to the next wider one; all clicks together always count.
        """
        clicks = _with_log_dwell(events, categories).filter(pl.col(_LOG_DWELL).is_not_null())
        needed = (min_clicks, min_clicks, 0)
        levels = [_cells(clicks, keys, least) for keys, least in zip(_LEVELS, needed, strict=True)]
        return cls(tuple(cell for level in levels for cell in level))

    def cell(self, category: str | None, device: str | None) -> DwellCell | None:
        """Return the narrowest statistics for a click, None where there are none at all."""
        keys = ((category, device), (None, device), (None, None))
        return next((self._by_key[key] for key in keys if key in self._by_key), None)

    def normalised(self, events: pl.DataFrame, categories: pl.DataFrame) -> pl.Series:
        """Return for each event Phi((log dwell - mean) / deviation), in [0, 1]; null but for clicks with dwell.

        >>> usual = DwellNormaliser((DwellCell(None, None, clicks=90, mean=float(np.log(4000)), deviation=0.7),))
        >>> clicks = pl.DataFrame({"item_id": ["a", "b"], "event": ["click", "cart"], "dwell_ms": [4000, None]})
        >>> usual.normalised(clicks, pl.DataFrame({"item_id": ["a"], "category": ["Shoes"]})).to_list()
        [0.5, None]

        Args:
            events: as in `fit`.
            categories: as in `fit`; a click on an item that is not in it goes by its device.
        """
        known = _with_log_dwell(events, categories)
        usual = known.join(
            self._usual(known), on=[c.CATEGORY, c.DEVICE], how="left", nulls_equal=True, maintain_order="left"
        )
        z = usual.select((pl.col(_LOG_DWELL) - pl.col(_MEAN)) / pl.col(_DEVIATION)).to_series().to_numpy()
        return pl.Series(DWELL, np.asarray(ndtr(z), dtype=np.float64)).fill_nan(None)

    def to_json(self) -> dict[str, list[CellState]]:
        """Return what `from_json` reads."""
        return {
            "cells": [
                CellState(category=x.category, device=x.device, clicks=x.clicks, mean=x.mean, deviation=x.deviation)
                for x in self.cells
            ]
        }

    @classmethod
    def from_json(cls, state: dict[str, list[CellState]]) -> DwellNormaliser:
        """Return the normaliser that `to_json` wrote."""
        return cls(tuple(DwellCell(**cell) for cell in state["cells"]))

    @cached_property
    def _by_key(self) -> dict[tuple[str | None, str | None], DwellCell]:
        return {(cell.category, cell.device): cell for cell in self.cells}

    def _usual(self, known: pl.DataFrame) -> pl.DataFrame:
        """Return mean and deviation for each category and device of `known`; null where there is no cell."""
        pairs = known.select(c.CATEGORY, c.DEVICE).unique()
        cells = [self.cell(category, device) for category, device in pairs.iter_rows()]
        return pairs.with_columns(
            pl.Series(_MEAN, [cell and cell.mean for cell in cells], dtype=pl.Float64),
            pl.Series(_DEVIATION, [cell and cell.deviation for cell in cells], dtype=pl.Float64),
        )


def session_satisfaction(
    events: pl.DataFrame,
    categories: pl.DataFrame,
    normaliser: DwellNormaliser,
    config: SatisfactionConfig | None = None,
) -> pl.DataFrame:
    """Return a row a session, oldest first: session_id, user_id, start, dwell, repeat, conversion, satisfaction.

    satisfaction = sum of w * part / sum of w over the parts that are known, in [0, 1]; w from `config`.

    - `dwell`: mean normalised dwell of the clicks; null where no click has one.
    - `repeat`: 1 where another session of the user follows whose first positive event comes after the last event of
      this one and at most `window_days` later; else 0. Null (censored) for every session that ended less than the
      window before the last event of the log, even where a return was seen: one that is yet to come is not seen, and
      keeping only those that came would flatter the newest sessions.
    - `conversion`: 1 where something was bought, else 0. A flag, not a share of the clicks: looking around before
      buying is no dissatisfaction.
    - A session without a positive event has satisfaction 0, whatever its parts: nothing that was shown was wanted.
    - A session of which no part with a weight is known has satisfaction null.

    Args:
        events: canonical events, the whole log, so that returns are seen; those without a session or a time are left
            out. A column `dwell_ms`, `device` or `value` may be absent.
        categories: columns item_id and category.
        normaliser: learned from training events only.
        config: weights and window.
    """
    settings = config or SatisfactionConfig()
    known = _complete(events).filter(pl.col(c.SESSION_ID).is_not_null() & pl.col(c.TIMESTAMP).is_not_null())
    sessions = _sessions(known.with_columns(normaliser.normalised(known, categories)))
    scored = _with_repeat(sessions, timedelta(days=settings.window_days)).with_columns(_satisfaction(settings))
    columns = (c.SESSION_ID, c.USER_ID, START, DWELL, REPEAT, CONVERSION, SATISFACTION)
    return scored.select(columns).sort(START, c.USER_ID, c.SESSION_ID)


def _sessions(known: pl.DataFrame) -> pl.DataFrame:
    time, kind, positive = pl.col(c.TIMESTAMP), pl.col(c.EVENT), _positive()
    # Session ids of the outside world may be counted anew for each user.
    return known.group_by(c.USER_ID, c.SESSION_ID, maintain_order=True).agg(
        time.min().alias(START),
        time.max().alias(_END),
        time.filter(positive).min().alias(_FIRST),
        positive.any().alias(_POSITIVE),
        pl.col(DWELL).mean(),
        (kind == EventType.PURCHASE.value).any().cast(pl.Float64).alias(CONVERSION),
    )


def _with_repeat(sessions: pl.DataFrame, window: timedelta) -> pl.DataFrame:
    returns = sessions.select(c.USER_ID, pl.col(_FIRST).alias(_NEXT)).drop_nulls().sort(_NEXT)
    followed = sessions.sort(_END).join_asof(
        returns,
        left_on=_END,
        right_on=_NEXT,
        by=c.USER_ID,
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    came_back = (pl.col(_NEXT) <= pl.col(_END) + window).fill_null(value=False)
    watched = pl.col(_END) + window <= pl.col(_END).max()
    return followed.with_columns(pl.when(watched).then(came_back.cast(pl.Float64)).alias(REPEAT))


def _satisfaction(config: SatisfactionConfig) -> pl.Expr:
    weights = {DWELL: config.dwell, REPEAT: config.repeat, CONVERSION: config.conversion}
    summed = pl.sum_horizontal(pl.col(name).fill_null(0) * weight for name, weight in weights.items())
    weight_known = pl.sum_horizontal(pl.col(name).is_not_null() * pl.lit(weight) for name, weight in weights.items())
    mean = pl.when(weight_known > 0).then(summed / weight_known)
    return pl.when(pl.col(_POSITIVE)).then(mean).otherwise(0.0).alias(SATISFACTION)


def _positive() -> pl.Expr:
    acts = pl.col(c.EVENT).is_in([EventType.CLICK.value, EventType.CART.value, EventType.PURCHASE.value])
    liked = pl.col(c.VALUE).is_null() | (pl.col(c.VALUE) >= _MIN_RATING)
    return acts | ((pl.col(c.EVENT) == EventType.RATING.value) & liked)


def _complete(events: pl.DataFrame) -> pl.DataFrame:
    absent = {name: kind for name, kind in _OPTIONAL.items() if name not in events.columns}
    return events.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in absent.items())


def _with_log_dwell(events: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    """Return category, device and log dwell of each event, in their order."""
    of_item = categories.select(c.ITEM_ID, c.CATEGORY).unique(c.ITEM_ID, keep="first")
    is_click = pl.col(c.EVENT) == EventType.CLICK.value
    log_dwell = pl.when(is_click).then(pl.col(c.DWELL_MS).clip(*_DWELL_BOUNDS_MS).cast(pl.Float64).log())
    joined = _complete(events).join(of_item, on=c.ITEM_ID, how="left", maintain_order="left")
    return joined.select(c.CATEGORY, c.DEVICE, log_dwell.alias(_LOG_DWELL))


def _cells(clicks: pl.DataFrame, keys: Sequence[str], least: int) -> list[DwellCell]:
    others = [pl.lit(None, dtype=pl.String).alias(name) for name in (c.CATEGORY, c.DEVICE) if name not in keys]
    value = pl.col(_LOG_DWELL)
    statistics = (
        clicks.drop_nulls(list(keys))
        .with_columns(others)
        .group_by(c.CATEGORY, c.DEVICE)
        .agg(value.len().alias(_CLICKS), value.mean().alias(_MEAN), value.std().alias(_DEVIATION))
        .filter((pl.col(_CLICKS) >= least) & (pl.col(_DEVIATION) > _LEAST_DEVIATION))
        .sort(c.CATEGORY, c.DEVICE)
    )
    return [DwellCell(*row) for row in statistics.iter_rows()]
