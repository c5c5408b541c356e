"""A data set with what a running service kept since, for the verbs that learn."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import Dataset, read_dataset

__all__ = ["Learned", "with_live"]


@dataclass(frozen=True)
class Learned:
    """What may be learned from.

    Attributes:
        dataset: with what the store holds.
        forgotten: how many users' past was left out of it.
        recommended: user id, item id and time of the store's events that a recommendation led to; None = no store.
    """

    dataset: Dataset
    forgotten: int
    recommended: pl.DataFrame | None = None


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
    return Learned(whole, len(forgotten), _recommended(live))


def _recommended(events: pl.DataFrame) -> pl.DataFrame:
    from trifocal.serve.entrance import RUNGS

    # A search answers what the shopper wanted anyway: its rungs have other names.
    shown = pl.col(c.ANSWER_ID).is_not_null() & pl.col(c.RUNG).is_in(RUNGS)
    return events.filter(shown).select(c.USER_ID, c.ITEM_ID, c.TIMESTAMP)
