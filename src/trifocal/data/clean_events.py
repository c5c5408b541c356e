"""Source rows -> canonical events, oldest first. Every row that is dropped or loses a field goes to the rejects."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from trifocal import columns as c
from trifocal.data.column_map import EventSource
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.rejects import Reason, RejectLog
from trifocal.data.sessions import with_sessions
from trifocal.data.source_table import SourceTable, mapped_text
from trifocal.data.timestamps import parse_timestamps
from trifocal.types import EventType

__all__ = ["clean_events"]

_PARSED = "__parsed__"


def clean_events(table: SourceTable, source: EventSource, item_ids: pl.Series, log: RejectLog) -> pl.DataFrame:
    """Return the canonical events of `table`: by time, ties in its order, unknown times first, with sessions.

    Args:
        table: the rows as they were read.
        source: which column holds what.
        item_ids: the ids of the items that were kept.
        log: takes the rejects.

    Raises:
        DataError: when a mapped column is missing.
    """
    work = mapped_text(table, _columns_of(source), {}, source.missing_values)
    log.note_replaced(work)
    work = log.drop(work, pl.col(c.USER_ID).is_null(), Reason.MISSING_ID, c.USER_ID)
    work = log.drop(work, pl.col(c.ITEM_ID).is_null(), Reason.MISSING_ID, c.ITEM_ID)
    work = log.drop(work, ~pl.col(c.ITEM_ID).is_in(item_ids.implode()), Reason.UNKNOWN_ITEM, c.ITEM_ID)
    work = _with_event(work, source, log)
    work = _with_timestamp(work, source.timestamp_format, log)
    for name in (c.DWELL_MS, c.POSITION):
        work = _with_count(work, name, log)
    work = _with_value(work, log)
    events = conform(work.sort(c.TIMESTAMP, nulls_last=False, maintain_order=True), EVENT_SCHEMA)
    return with_sessions(events, source.session_gap_minutes)


def _columns_of(source: EventSource) -> dict[str, Sequence[str]]:
    named = source.columns.model_dump()
    return {name: (named[name],) for name in c.EVENT_COLUMNS if named[name] is not None}


def _with_event(work: pl.DataFrame, source: EventSource, log: RejectLog) -> pl.DataFrame:
    if c.EVENT not in work.columns:
        return work.with_columns(pl.lit(source.default_event.value).alias(c.EVENT))
    names = {event.value: event.value for event in EventType}
    names |= {name.lower(): event.value for name, event in source.values.items()}
    event = pl.col(c.EVENT).str.to_lowercase().replace_strict(names, default=None, return_dtype=pl.String)
    work = log.drop(work, pl.col(c.EVENT).is_not_null() & event.is_null(), Reason.UNKNOWN_EVENT, c.EVENT)
    return work.with_columns(event.fill_null(source.default_event.value).alias(c.EVENT))


def _with_timestamp(work: pl.DataFrame, layout: str, log: RejectLog) -> pl.DataFrame:
    if c.TIMESTAMP not in work.columns:
        return work.with_columns(pl.lit(None, dtype=EVENT_SCHEMA[c.TIMESTAMP]).alias(c.TIMESTAMP))
    parsed = work.with_columns(parse_timestamps(work[c.TIMESTAMP], layout).alias(_PARSED))
    unreadable = pl.col(c.TIMESTAMP).is_not_null() & pl.col(_PARSED).is_null()
    parsed = log.drop(parsed, unreadable, Reason.UNREADABLE_TIME, c.TIMESTAMP)
    return parsed.with_columns(pl.col(_PARSED).alias(c.TIMESTAMP)).drop(_PARSED)


def _with_count(work: pl.DataFrame, name: str, log: RejectLog) -> pl.DataFrame:
    if name not in work.columns:
        return work
    number = pl.col(name).cast(pl.Float64, strict=False)
    whole = pl.when(number.is_finite() & (number >= 0)).then(number.round()).cast(pl.Int64, strict=False)
    log.note(work, pl.col(name).is_not_null() & whole.is_null(), Reason.UNREADABLE_NUMBER, name)
    return work.with_columns(whole.alias(name))


def _with_value(work: pl.DataFrame, log: RejectLog) -> pl.DataFrame:
    if c.VALUE not in work.columns:
        return work
    number = pl.col(c.VALUE).cast(pl.Float64, strict=False)
    value = pl.when(number.is_finite()).then(number)
    log.note(work, pl.col(c.VALUE).is_not_null() & value.is_null(), Reason.UNREADABLE_NUMBER, c.VALUE)
    return work.with_columns(value.alias(c.VALUE))
