"""A data set folder -> its figures, for people. Reads the canonical tables and the rejects; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import Dataset, read_dataset
from trifocal.data.importing import reject_counts

__all__ = ["DatasetFigures", "dataset_figures"]

_QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class DatasetFigures:
    """What `trifocal data summary` shows. Stability: caller.

    Attributes:
        name: of the data set.
        users: with at least one event.
        items: products in the catalogue.
        items_with_events: of these, met by at least one event.
        items_without: field -> items that lack it.
        events: event type -> number, the most frequent first.
        density: distinct (user, item) pairs / (users x items), 0..1.
        first, last: time span as ISO text, or None where no time is known.
        events_without_time: number.
        sessions: different session ids.
        events_per_user: quantile 0..1 -> events.
        rejects: table -> "reason, action" -> rows.
    """

    name: str
    users: int
    items: int
    items_with_events: int
    items_without: dict[str, int]
    events: dict[str, int]
    density: float
    first: str | None
    last: str | None
    events_without_time: int
    sessions: int
    events_per_user: dict[float, int]
    rejects: dict[str, dict[str, int]]

    @property
    def event_count(self) -> int:
        """All events."""
        return sum(self.events.values())


def dataset_figures(folder: Path) -> DatasetFigures:
    """Return the figures of the data set in `folder`.

    Raises:
        DataError: when the folder is no data set.
    """
    dataset = read_dataset(folder)
    items, events = dataset.items, dataset.events
    users = events[c.USER_ID].n_unique()
    times = events[c.TIMESTAMP].drop_nulls()
    pairs = events.select(c.USER_ID, c.ITEM_ID).n_unique()
    return DatasetFigures(
        name=dataset.name,
        users=users,
        items=len(items),
        items_with_events=events[c.ITEM_ID].n_unique(),
        items_without=_items_without(dataset),
        events=dict(events[c.EVENT].value_counts(sort=True).iter_rows()),
        density=pairs / max(users * len(items), 1),
        first=_moment(times.min()),
        last=_moment(times.max()),
        events_without_time=len(events) - len(times),
        sessions=events[c.SESSION_ID].drop_nulls().n_unique(),
        events_per_user=_events_per_user(events),
        rejects=_rejects_of(folder),
    )


def _items_without(dataset: Dataset) -> dict[str, int]:
    names = (c.IMAGE, c.TITLE, c.DESCRIPTION, c.CATEGORY, c.PRICE)
    return {name: dataset.items[name].null_count() for name in names}


def _events_per_user(events: pl.DataFrame) -> dict[float, int]:
    counts = events.group_by(c.USER_ID).len()["len"]
    found = {level: counts.quantile(level, interpolation="nearest") for level in _QUANTILES}
    return {level: int(value) for level, value in found.items() if value is not None}


def _rejects_of(folder: Path) -> dict[str, dict[str, int]]:
    path = folder / "rejects.parquet"
    return reject_counts(pl.read_parquet(path)) if path.is_file() else {}


def _moment(value: object) -> str | None:
    return None if value is None else f"{value:%Y-%m-%d %H:%M}"
