"""An event store -> one frame, and one Parquet file that `trifocal data import` reads.

The frame has the canonical columns and what the answers said, oldest first, equal times in the order of arrival; what a
forgotten user did before it was forgotten is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.ports import EventStore, StoredEvent

__all__ = ["EXPORT_SCHEMA", "stored_events", "write_events"]

# The first eleven as in `trifocal.data.dataset`, which this stage may not import; a test compares both.
EXPORT_SCHEMA: dict[str, pl.DataType] = {
    c.USER_ID: pl.String(),
    c.ITEM_ID: pl.String(),
    c.EVENT: pl.String(),
    c.TIMESTAMP: pl.Datetime("us", "UTC"),
    c.SESSION_ID: pl.String(),
    c.DEVICE: pl.String(),
    c.COUNTRY: pl.String(),
    c.DWELL_MS: pl.Int64(),
    c.POSITION: pl.Int64(),
    c.QUERY: pl.String(),
    c.VALUE: pl.Float64(),
    c.ANSWER_ID: pl.String(),
    c.PROPENSITY: pl.Float64(),
    c.MODEL_VERSION: pl.String(),
    c.VARIANT: pl.String(),
    c.RUNG: pl.String(),
}
_SECONDS = "timestamp_s"
# The fields of a stored event, in the order of the columns.
_FIELDS = tuple(_SECONDS if name == c.TIMESTAMP else name for name in EXPORT_SCHEMA)
_READ = {name: EXPORT_SCHEMA.get(name, pl.Float64()) for name in _FIELDS}
_PAGE = 10_000


def stored_events(store: EventStore, forgotten: Mapping[str, float], *, after: int = 0) -> pl.DataFrame:
    """Return the events of `store` with the columns of `EXPORT_SCHEMA`, oldest first.

    Args:
        store: read page by page, while others may write.
        forgotten: user id -> seconds since 1970, UTC; what the user did up to then is left out.
        after: number of an event; those up to it are left out.
    """
    pages = [_frame([])]
    while page := store.after(after, _PAGE):
        after = page[-1][0]
        pages.append(_frame([event for _, event in page if not _is_forgotten(event, forgotten)]))
    events = pl.concat(pages).sort(_SECONDS, maintain_order=True)
    microseconds = (pl.col(_SECONDS) * 1e6).round().cast(pl.Int64)
    time = microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(c.TIMESTAMP)
    return events.with_columns(time).select(list(EXPORT_SCHEMA))


def write_events(events: pl.DataFrame, out: Path) -> Path:
    """Write `events` to the Parquet file `out`, or as events.parquet into the folder `out`; return the file.

    The file is there whole or not at all.
    """
    path = out if out.suffix == ".parquet" else out / "events.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    events.write_parquet(beside)
    beside.replace(path)
    return path


def _is_forgotten(event: StoredEvent, forgotten: Mapping[str, float]) -> bool:
    return event.timestamp_s <= forgotten.get(event.user_id, float("-inf"))


def _frame(events: list[StoredEvent]) -> pl.DataFrame:
    rows = [tuple(getattr(event, name) for name in _FIELDS) for event in events]
    return pl.DataFrame(rows, schema=_READ, orient="row")
