"""A data set and what the live service kept since -> one data set; what forgotten users did is in neither part.

Pure: the caller reads the stores. A live item has no moment of its own; it counts as created with its first event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.ports import KeptItem, StoredItem

__all__ = ["joined", "without_forgotten"]

# One thing that a user did, however often it comes in: from an export that was imported, and from the store itself.
_SAME = (c.USER_ID, c.ITEM_ID, c.EVENT, c.TIMESTAMP, c.POSITION)


def joined(
    dataset: Dataset,
    events: pl.DataFrame,
    items: Sequence[KeptItem],
    *,
    pictures: Path | None,
    forgotten: Mapping[str, float],
) -> Dataset:
    """Return `dataset` with the live items and events, oldest first, without what forgotten users did.

    An event of an item that nobody knows, or that the data set has already, is left out. An item that was deleted
    stays, for what was done with it, and is not available.

    Args:
        dataset: what was known before.
        events: of the event store, see `trifocal.feedback.export`; more than the canonical columns may be there.
        items: of the item store.
        pictures: folder of the live items' pictures; None = there is none.
        forgotten: user id -> up to when they are forgotten, seconds since 1970, UTC.
    """
    live = conform(events, EVENT_SCHEMA)
    known = _with_items(dataset.items, items, live, pictures)
    new = live.filter(pl.col(c.ITEM_ID).is_in(known[c.ITEM_ID].implode()))
    # Null = null: an event without a position is the same as its copy.
    new = new.join(dataset.events, on=_SAME, how="anti", nulls_equal=True, maintain_order="left")
    whole = pl.concat([dataset.events, new]).sort(c.TIMESTAMP, nulls_last=False, maintain_order=True)
    return replace(dataset, items=known, events=without_forgotten(whole, forgotten))


def without_forgotten(events: pl.DataFrame, forgotten: Mapping[str, float]) -> pl.DataFrame:
    """Return `events` without those of forgotten users up to their moment, and without a time at all.

    Args:
        events: canonical.
        forgotten: user id -> up to when, seconds since 1970, UTC.
    """
    if not forgotten:
        return events
    until = pl.col(c.USER_ID).replace_strict(forgotten, default=None, return_dtype=pl.Float64())
    time_s = pl.col(c.TIMESTAMP).dt.epoch("us") / 1e6
    return events.filter(until.is_null() | (time_s > until).fill_null(value=False))


def _with_items(
    items: pl.DataFrame, kept: Sequence[KeptItem], events: pl.DataFrame, pictures: Path | None
) -> pl.DataFrame:
    gone = [one.item_id for one in kept if one.item is None]
    available = pl.when(pl.col(c.ITEM_ID).is_in(gone)).then(pl.lit(value=False)).otherwise(pl.col(c.AVAILABLE))
    known = items.with_columns(available.alias(c.AVAILABLE))
    changed = [one.item for one in kept if one.item is not None]
    if not changed:
        return known
    live = _item_table(changed, pictures)
    # What lies in the picture folder of the data set keeps the name that it has there.
    held = known.select(c.ITEM_ID, pl.col(c.IMAGE).alias("held"), pl.col(c.CREATED_AT).alias("made"))
    first = events.group_by(c.ITEM_ID).agg(pl.col(c.TIMESTAMP).min().alias("first"))
    live = live.join(held, on=c.ITEM_ID, how="left", maintain_order="left").join(
        first, on=c.ITEM_ID, how="left", maintain_order="left"
    )
    old = live[c.ITEM_ID].is_in(known[c.ITEM_ID].implode())
    live = live.with_columns(
        pl.coalesce(c.IMAGE, "held").alias(c.IMAGE),
        pl.when(old).then(pl.col("made")).otherwise(pl.col("first")).alias(c.CREATED_AT),
    ).drop("held", "made", "first")
    return _in_place(known, live)


def _in_place(known: pl.DataFrame, live: pl.DataFrame) -> pl.DataFrame:
    """Rows of `known` keep their places, with the values of `live` where it has the item; new ones follow."""
    whole = pl.concat([known.with_row_index("place"), live.with_columns(place=None)], how="diagonal_relaxed")
    place = pl.col("place").min().over(c.ITEM_ID)
    newest = whole.with_columns(place.alias("place")).unique(c.ITEM_ID, keep="last", maintain_order=True)
    return newest.sort("place", nulls_last=True, maintain_order=True).drop("place")


def _item_table(items: Sequence[StoredItem], pictures: Path | None) -> pl.DataFrame:
    names = sorted({name for item in items for name, _ in item.attributes})
    schema = {**ITEM_SCHEMA, **{f"{c.ATTRIBUTE_PREFIX}{name}": pl.String() for name in names}}
    rows = [
        {
            c.ITEM_ID: item.item_id,
            c.TITLE: item.title,
            c.DESCRIPTION: item.description,
            c.CATEGORY: item.category,
            c.IMAGE: _picture(item, pictures),
            c.PRICE: item.price,
            c.AVAILABLE: item.available,
            **{f"{c.ATTRIBUTE_PREFIX}{name}": value for name, value in item.attributes},
        }
        for item in items
    ]
    return pl.DataFrame(rows, schema=schema)


def _picture(item: StoredItem, pictures: Path | None) -> str | None:
    if item.picture is None or item.in_bundle or pictures is None:
        return None
    return str(pictures / item.picture)
