"""Data set -> train, validation and test events, by time or by a published assignment, with a fingerprint.

Everything that is learned sees `train` alone while tuning; `refit` gives the split for the last training. Splits that
go by the name of a data set are in `named_splits`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import numpy as np
import polars as pl
import polars.selectors as cs

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.errors import ConfigError, DataError
from trifocal.types import EventType

__all__ = ["Part", "Questions", "Split", "assigned_split", "cut_split", "make_split", "restrict", "time_split"]

Part = Literal["validation", "test"]

Questions = Literal["future", "next-basket", "basket", "session"]
"""What a case asks; see `trifocal.data.cases`."""

PART = "part"


@dataclass(frozen=True)
class Split:
    """The events of a data set in three parts, each oldest first. Stability: caller.

    Attributes:
        name: as it stands in reports: `time`, `hm-random`.
        train: what may be learned from.
        validation: what settings are chosen on.
        test: looked at once.
        fingerprint: SHA-256 of the three parts as they were cut; `refit` keeps it, since the test stays the same.
        leaky: True where a training event may be later than a test event; figures then only serve comparison.
        note: what a reader of the figures must know.
        items: ids of the items that may be recommended; None = all.
        catalogue: ids of the items that exist for this split at all; None = all.
        validation_items: the candidates of validation where they are others than `items`; None = `items`.
        questions: what its cases ask.
        hidden: for `questions` = "basket": part -> its pairs user_id, item_id that are to be found.
    """

    name: str
    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    fingerprint: str
    leaky: bool = False
    note: str = ""
    items: tuple[str, ...] | None = None
    catalogue: tuple[str, ...] | None = None
    validation_items: tuple[str, ...] | None = None
    questions: Questions = "future"
    hidden: Mapping[Part, pl.DataFrame] = field(default_factory=dict)

    def before(self, part: Part) -> pl.DataFrame:
        """Return the events that are known when `part` is asked about, oldest first."""
        return self.train if part == "validation" else _joined(self.train, self.validation)

    def candidates(self, part: Part) -> tuple[str, ...] | None:
        """Return the ids of the items that may be recommended when `part` is asked about; None = all."""
        return self.validation_items or self.items if part == "validation" else self.items

    def refit(self) -> Split:
        """Return the split for the last training: train holds validation as well, validation is empty."""
        note = f"{self.note}; trained on train + validation".removeprefix("; ")
        return replace(self, train=self.before("test"), validation=self.validation.clear(), note=note)

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return for each part its events, users and items."""
        return {
            name: (part.height, part[c.USER_ID].n_unique(), part[c.ITEM_ID].n_unique())
            for name, part in (("train", self.train), ("validation", self.validation), ("test", self.test))
        }


def time_split(dataset: Dataset, fractions: tuple[float, float, float] = (0.70, 0.15, 0.15)) -> Split:
    """Return the global split by time: train before t1, validation from t1, test from t2.

    A cut lies between two different times, so that equal times stay on one side; it is the cut whose share is nearest
    to the wanted one. Events without a time are left out, and the note counts them. Items that do not exist
    before t2 are no candidates.

    Raises:
        ConfigError: when `fractions` are not three positive numbers with sum 1.
        DataError: when the events have fewer than three different times.
    """
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ConfigError(f"split fractions are {fractions}; give three positive numbers with sum 1")
    events = dataset.events.filter(pl.col(c.TIMESTAMP).is_not_null()).sort(c.TIMESTAMP, maintain_order=True)
    first, second = _cuts(events, fractions)
    left_out = dataset.events.height - events.height
    note = f"{left_out:,} events without a time left out" if left_out else ""
    return cut_split(dataset, "time", first, second, note=note)


def cut_split(dataset: Dataset, name: str, first: datetime, second: datetime, *, note: str = "") -> Split:
    """Return the split at two moments: train before `first`, validation before `second`, test from there on.

    Events without a time are left out. Items that do not exist before `second` are no candidates.
    """
    events = dataset.events.filter(pl.col(c.TIMESTAMP).is_not_null()).sort(c.TIMESTAMP, maintain_order=True)
    time = pl.col(c.TIMESTAMP)
    about = f"global by time, cuts {first:%Y-%m-%d %H:%M} and {second:%Y-%m-%d %H:%M} UTC"
    return make_split(
        name,
        events.filter(time < first),
        events.filter((time >= first) & (time < second)),
        events.filter(time >= second),
        note=f"{about}; {note}".removesuffix("; "),
        items=_existing_before(dataset, second),
    )


def assigned_split(dataset: Dataset, parts: pl.DataFrame, name: str) -> Split:
    """Return the split that `parts` prescribes: its pairs of user and item alone, one event each, the first.

    Args:
        dataset: impressions are left out.
        parts: columns user_id, item_id, part (train | validation | test), a pair a row.
        name: as it stands in reports.

    Raises:
        DataError: when `parts` lacks a column, or no pair of it is in the data set.
    """
    missing = {c.USER_ID, c.ITEM_ID, PART} - set(parts.columns)
    if missing:
        raise DataError(f"the parts of split {name} lack {sorted(missing)}; they need user_id, item_id and part")
    listed = parts.select(pl.col(c.USER_ID, c.ITEM_ID).cast(pl.String), pl.col(PART).cast(pl.String))
    pairs = (
        dataset.events.filter(pl.col(c.EVENT) != EventType.IMPRESSION.value)
        .unique([c.USER_ID, c.ITEM_ID], keep="first", maintain_order=True)
        .join(listed, on=[c.USER_ID, c.ITEM_ID], how="inner", maintain_order="left")
    )
    if pairs.is_empty():
        raise DataError(f"split {name} lists {listed.height:,} pairs, {dataset.name} has none of them; check the ids")
    absent = listed.height - pairs.height
    candidates = set(listed[c.ITEM_ID].to_list())
    items = tuple(item for item in dataset.items[c.ITEM_ID].to_list() if item in candidates)
    split = make_split(
        name,
        *(pairs.filter(pl.col(PART) == part).drop(PART) for part in ("train", "validation", "test")),
        leaky=True,
        note="per user at random, not by time: leaky, only for comparison with published figures"
        + (f"; {absent:,} of {listed.height:,} listed pairs are not in the data" if absent else ""),
        items=items,
    )
    return replace(split, catalogue=items)


def make_split(
    name: str,
    train: pl.DataFrame,
    validation: pl.DataFrame,
    test: pl.DataFrame,
    *,
    note: str,
    items: tuple[str, ...] | None = None,
    leaky: bool = False,
    questions: Questions = "future",
    hidden: Mapping[Part, pl.DataFrame] | None = None,
) -> Split:
    """Return the split of these parts with its fingerprint, which holds the hidden pairs too."""
    pairs = hidden or {}
    fingerprint = _fingerprint(train, validation, test, *(pairs[part] for part in sorted(pairs)))
    return Split(
        name,
        train,
        validation,
        test,
        fingerprint,
        leaky=leaky,
        note=note,
        items=items,
        questions=questions,
        hidden=pairs,
    )


def restrict(dataset: Dataset, split: Split) -> Dataset:
    """Return `dataset` with only the items that exist for the split, and their events."""
    if split.catalogue is None:
        return dataset
    kept = pl.col(c.ITEM_ID).is_in(list(split.catalogue))
    return replace(dataset, items=dataset.items.filter(kept), events=dataset.events.filter(kept))


def _cuts(events: pl.DataFrame, fractions: tuple[float, float, float]) -> tuple[datetime, datetime]:
    times = events.group_by(c.TIMESTAMP).len().sort(c.TIMESTAMP)
    if times.height < 3:
        raise DataError(f"a split by time needs events at 3 different times, these have {times.height}; add timestamps")
    # before[i] events are earlier than times[i]; the first cut leaves room for a second one.
    before = np.cumsum(times["len"].to_numpy()) - times["len"].to_numpy()
    first = 1 + int(np.argmin(np.abs(before[1:-1] - fractions[0] * events.height)))
    wanted = (fractions[0] + fractions[1]) * events.height
    second = first + 1 + int(np.argmin(np.abs(before[first + 1 :] - wanted)))
    return times[c.TIMESTAMP][first], times[c.TIMESTAMP][second]


def _existing_before(dataset: Dataset, moment: datetime) -> tuple[str, ...] | None:
    created = pl.col(c.CREATED_AT)
    existing = dataset.items.filter(created.is_null() | (created < moment))
    return None if existing.height == dataset.items.height else tuple(existing[c.ITEM_ID].to_list())


def _fingerprint(*parts: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for part in parts:
        columns = [n for n in (c.USER_ID, c.ITEM_ID, c.EVENT, c.TIMESTAMP) if n in part.columns]
        text = part.select(columns).with_columns(cs.datetime().dt.epoch("us")).write_csv()
        # The length keeps a row from moving between parts unseen.
        digest.update(f"{part.height}\n{text}".encode())
    return digest.hexdigest()


def _joined(earlier: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([earlier, later]).sort(c.TIMESTAMP, maintain_order=True)
