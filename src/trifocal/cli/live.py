"""A data set with what a running service kept since, for the verbs that learn."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from trifocal.data.dataset import Dataset, read_dataset

__all__ = ["Learned", "with_live"]


@dataclass(frozen=True)
class Learned:
    """What may be learned from: the data set, and how many users' past was left out of it."""

    dataset: Dataset
    forgotten: int


def with_live(folder: Path, events: str | None, pictures: Path | None = None) -> Learned:
    """Return the data set in `folder`, joined with the store at `events` where there is one.

    Args:
        folder: of the data set.
        events: a file of SQLite or the address of a server, as `trifocal serve --events` takes it.
        pictures: of live items, where the store is a server.
    """
    dataset = read_dataset(folder)
    if events is None:
        return Learned(dataset, 0)
    from trifocal.feedback.sql import SqlEventStore, SqlItemStore  # isort: skip

    from trifocal.data.joined import joined
    from trifocal.feedback.export import stored_events

    with closing(SqlEventStore(events)) as store, closing(SqlItemStore(events, pictures=pictures)) as items:
        forgotten = items.forgotten_users()
        live = stored_events(store, forgotten)
        whole = joined(dataset, live, items.items(), pictures=items.pictures, forgotten=forgotten)
    return Learned(whole, len(forgotten))
