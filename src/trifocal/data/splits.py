"""Data set -> train, validation and test events, by time or by a published assignment, with a fingerprint.

Everything that is learned sees `train` alone while tuning; `refit` gives the split for the last training.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.errors import ConfigError, DataError
from trifocal.types import EventType

__all__ = ["SPLIT_NAMES", "Part", "Split", "assigned_split", "named_split", "restrict", "time_split"]

Part = Literal["validation", "test"]

SPLIT_NAMES = ("time", "hm-random")
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
    """

    name: str
    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    fingerprint: str
    leaky: bool = False
    note: str = ""
    items: tuple[str, ...] | None = None

    def before(self, part: Part) -> pl.DataFrame:
        """Return the events that are known when `part` is asked about, oldest first."""
        return self.train if part == "validation" else _joined(self.train, self.validation)

    def refit(self) -> Split:
        """Return the split for the last training: train holds validation as well, validation is empty."""
        note = f"{self.note}; trained on train + validation".removeprefix("; ")
        return replace(self, train=self.before("test"), validation=self.validation.clear(), note=note)


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
    time = pl.col(c.TIMESTAMP)
    left_out = dataset.events.height - events.height
    return _split(
        "time",
        events.filter(time < first),
        events.filter((time >= first) & (time < second)),
        events.filter(time >= second),
        note=f"global by time, cuts {first:%Y-%m-%d %H:%M} and {second:%Y-%m-%d %H:%M} UTC"
        + (f"; {left_out:,} events without a time left out" if left_out else ""),
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
    return _split(
        name,
        *(pairs.filter(pl.col(PART) == part).drop(PART) for part in ("train", "validation", "test")),
        leaky=True,
        note="per user at random, not by time: leaky, only for comparison with published figures"
        + (f"; {absent:,} of {listed.height:,} listed pairs are not in the data" if absent else ""),
        items=tuple(item for item in dataset.items[c.ITEM_ID].to_list() if item in candidates),
    )


def named_split(dataset: Dataset, name: str, parts_file: Path | None = None) -> Split:
    """Return the split called `name`, one of `SPLIT_NAMES`.

    Args:
        dataset: what is split.
        name: `time`, or `hm-random`, which reads its assignment from `parts_file`.
        parts_file: Parquet with user_id, item_id, part.

    Raises:
        ConfigError: when the name is unknown or its file is missing.
    """
    match name:
        case "time":
            return time_split(dataset)
        case "hm-random":
            if parts_file is None or not parts_file.is_file():
                raise ConfigError(f"split hm-random needs its file hm-random.parquet, {parts_file} is none; name it")
            return assigned_split(dataset, pl.read_parquet(parts_file), name)
        case _:
            raise ConfigError(f"there is no split {name!r}; choose one of {', '.join(SPLIT_NAMES)}")


def restrict(dataset: Dataset, split: Split) -> Dataset:
    """Return `dataset` with only the items that the split may recommend, and their events."""
    if split.items is None:
        return dataset
    kept = pl.col(c.ITEM_ID).is_in(list(split.items))
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


def _split(
    name: str,
    train: pl.DataFrame,
    validation: pl.DataFrame,
    test: pl.DataFrame,
    *,
    note: str,
    items: tuple[str, ...] | None,
    leaky: bool = False,
) -> Split:
    fingerprint = _fingerprint(train, validation, test)
    return Split(name, train, validation, test, fingerprint, leaky=leaky, note=note, items=items)


def _fingerprint(*parts: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for part in parts:
        text = part.select(c.USER_ID, c.ITEM_ID, c.EVENT, pl.col(c.TIMESTAMP).dt.epoch("us")).write_csv()
        # The length keeps a row from moving between parts unseen.
        digest.update(f"{part.height}\n{text}".encode())
    return digest.hexdigest()


def _joined(earlier: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([earlier, later]).sort(c.TIMESTAMP, maintain_order=True)
