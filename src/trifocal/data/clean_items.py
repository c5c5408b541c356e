"""Source rows -> canonical items. Every row that is dropped or loses a field goes to the rejects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.data.column_map import ItemSource, Limits
from trifocal.data.pictures import PictureState, check_pictures
from trifocal.data.rejects import ROW, Reason, RejectLog
from trifocal.data.source_table import SourceTable, mapped_text
from trifocal.data.timestamps import parse_timestamps

__all__ = ["clean_items"]

_FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True}
_FLAGS |= {"false": False, "f": False, "no": False, "n": False, "0": False}
_STATE = "__state__"


def clean_items(
    table: SourceTable, source: ItemSource, image_root: Path, limits: Limits, log: RejectLog
) -> pl.DataFrame:
    """Return the canonical items of `table`, in its order.

    Args:
        table: the rows as they were read.
        source: which column holds what.
        image_root: the picture folder.
        limits: what price is believed.
        log: takes the rejects.

    Raises:
        DataError: when a mapped column is missing.
    """
    work = mapped_text(table, _columns_of(source), {c.CATEGORY: c.CATEGORY_SEPARATOR}, source.missing_values)
    absent = [name for name in (c.TITLE, c.IMAGE) if name not in work.columns]
    work = work.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    log.note_replaced(work)
    work = log.drop(work, pl.col(c.ITEM_ID).is_null(), Reason.MISSING_ID, c.ITEM_ID)
    work = log.drop(work, ~pl.col(c.ITEM_ID).is_first_distinct(), Reason.DUPLICATE_ITEM, c.ITEM_ID)
    if source.image_pattern is not None:
        work = work.with_columns(_pattern_images(work[c.ITEM_ID], source.image_pattern))
    work = log.drop(work, pl.col(c.TITLE).is_null() & pl.col(c.IMAGE).is_null(), Reason.NO_CONTENT, c.TITLE)
    work = _with_checked_pictures(work, image_root, log)
    work = _with_price(work, limits, log)
    work = _with_created_at(work, source.timestamp_format, log)
    work = _with_available(work, log)
    return _with_category(work, source.category_separator).drop(ROW)


def _columns_of(source: ItemSource) -> dict[str, Sequence[str]]:
    columns = source.columns
    single = {c.ITEM_ID: columns.item_id, c.IMAGE: columns.image, c.PRICE: columns.price}
    single |= {c.CREATED_AT: columns.created_at, c.AVAILABLE: columns.available}
    single |= {c.ATTRIBUTE_PREFIX + name: column for name, column in columns.attributes.items()}
    several: dict[str, Sequence[str]] = {c.TITLE: columns.title, c.DESCRIPTION: columns.description}
    several[c.CATEGORY] = columns.category
    return several | {name: (column,) for name, column in single.items() if column is not None}


def _pattern_images(item_ids: pl.Series, pattern: str) -> pl.Series:
    return pl.Series(c.IMAGE, [pattern.format(item_id=item_id) for item_id in item_ids], dtype=pl.String)


def _with_checked_pictures(work: pl.DataFrame, image_root: Path, log: RejectLog) -> pl.DataFrame:
    files = work[c.IMAGE].drop_nulls().unique(maintain_order=True).to_list()
    if not files:
        return work
    states = pl.DataFrame({c.IMAGE: files, _STATE: [state.value for state in check_pictures(image_root, files)]})
    work = work.join(states, on=c.IMAGE, how="left", maintain_order="left")
    for state, reason in (
        (PictureState.MISSING, Reason.MISSING_PICTURE),
        (PictureState.BROKEN, Reason.BROKEN_PICTURE),
    ):
        faulty = pl.col(_STATE) == state.value
        work = log.drop(work, faulty & pl.col(c.TITLE).is_null(), reason, c.IMAGE)
        log.note(work, faulty, reason, c.IMAGE)
    return work.with_columns(pl.when(pl.col(_STATE) == PictureState.GOOD.value).then(c.IMAGE).alias(c.IMAGE)).drop(
        _STATE
    )


def _with_price(work: pl.DataFrame, limits: Limits, log: RejectLog) -> pl.DataFrame:
    if c.PRICE not in work.columns:
        return work
    price = pl.col(c.PRICE).cast(pl.Float64, strict=False)
    # NaN is greater than any limit for polars' comparison, so it falls out here too.
    believed = price.is_finite() & price.is_between(limits.price_min, limits.price_max)
    log.note(work, pl.col(c.PRICE).is_not_null() & price.is_null(), Reason.UNREADABLE_NUMBER, c.PRICE)
    log.note(work, ~believed, Reason.ABSURD_PRICE, c.PRICE)
    return work.with_columns(pl.when(believed).then(price).alias(c.PRICE))


def _with_created_at(work: pl.DataFrame, layout: str, log: RejectLog) -> pl.DataFrame:
    if c.CREATED_AT not in work.columns:
        return work
    parsed = work.with_columns(parse_timestamps(work[c.CREATED_AT], layout).alias("__moment__"))
    unreadable = pl.col(c.CREATED_AT).is_not_null() & pl.col("__moment__").is_null()
    log.note(parsed, unreadable, Reason.UNREADABLE_TIME, c.CREATED_AT)
    return parsed.with_columns(pl.col("__moment__").alias(c.CREATED_AT)).drop("__moment__")


def _with_available(work: pl.DataFrame, log: RejectLog) -> pl.DataFrame:
    if c.AVAILABLE not in work.columns:
        return work.with_columns(pl.lit(value=True).alias(c.AVAILABLE))
    flag = pl.col(c.AVAILABLE).str.to_lowercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    log.note(work, pl.col(c.AVAILABLE).is_not_null() & flag.is_null(), Reason.UNREADABLE_FLAG, c.AVAILABLE)
    return work.with_columns(flag.fill_null(value=True).alias(c.AVAILABLE))


def _with_category(work: pl.DataFrame, separator: str | None) -> pl.DataFrame:
    if c.CATEGORY not in work.columns or separator is None:
        return work
    levels = pl.col(c.CATEGORY).str.split(separator).list.eval(pl.element().str.strip_chars())
    return work.with_columns(levels.list.join(c.CATEGORY_SEPARATOR).alias(c.CATEGORY))
