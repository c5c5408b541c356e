"""Rows that could not be used as they are: each is kept, with its reason, so that none vanishes.

A row is either dropped, and then has exactly one reject with the action "dropped", or kept with a field emptied, and
then has one reject with the action "kept" for each such field. So: rows in = rows kept + rejects dropped.
"""

from __future__ import annotations

import json
from enum import StrEnum

import polars as pl

__all__ = ["REJECT_SCHEMA", "REPLACEMENT", "ROW", "Action", "Reason", "RejectLog"]

# Number of a row in its source: 1 = the first row of data; blank lines of a text file do not count.
ROW = "__row__"

# What stands in the place of bytes that are not text in the file's encoding.
REPLACEMENT = "\ufffd"

REJECT_SCHEMA: dict[str, pl.DataType] = {
    "table": pl.String(),
    "row": pl.Int64(),
    "reason": pl.String(),
    "column": pl.String(),
    "value": pl.String(),
    "action": pl.String(),
    "raw": pl.String(),
}


class Reason(StrEnum):
    """Why a row is in the rejects."""

    MALFORMED_ROW = "malformed_row"
    UNREADABLE_TEXT = "unreadable_text"
    MISSING_ID = "missing_id"
    DUPLICATE_ITEM = "duplicate_item"
    NO_CONTENT = "no_content"
    MISSING_PICTURE = "missing_picture"
    BROKEN_PICTURE = "broken_picture"
    ABSURD_PRICE = "absurd_price"
    UNREADABLE_NUMBER = "unreadable_number"
    UNREADABLE_FLAG = "unreadable_flag"
    UNREADABLE_TIME = "unreadable_time"
    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_EVENT = "unknown_event"


class Action(StrEnum):
    """What became of the row: kept without the bad field, or dropped."""

    KEPT = "kept"
    DROPPED = "dropped"


class RejectLog:
    """Collects the rejects of one table. Stability: internal."""

    def __init__(self, table: str) -> None:
        self.table = table
        self._parts: list[pl.DataFrame] = []

    def malformed(self, rows: list[int], lines: list[str]) -> None:
        """Record lines that are no row of the table; they are dropped, and the line itself is the raw row."""
        raw = [json.dumps({"line": line}, ensure_ascii=False) for line in lines]
        part = pl.DataFrame({"row": rows, "raw": raw}, schema={"row": pl.Int64, "raw": pl.String})
        fixed = {"reason": Reason.MALFORMED_ROW.value, "column": None, "value": None, "action": Action.DROPPED.value}
        self._parts.append(part.with_columns(pl.lit(v, dtype=pl.String).alias(k) for k, v in fixed.items()))

    def drop(self, work: pl.DataFrame, bad: pl.Expr, reason: Reason, column: str) -> pl.DataFrame:
        """Record the rows of `work` where `bad` holds; return the others."""
        marked = work.with_columns(bad.fill_null(value=False).alias("__bad__"))
        self._record(marked.filter("__bad__"), reason, column, Action.DROPPED)
        return marked.filter(~pl.col("__bad__")).drop("__bad__")

    def note(self, work: pl.DataFrame, bad: pl.Expr, reason: Reason, column: str) -> None:
        """Record the rows of `work` where `bad` holds; they are kept, and the caller empties the field."""
        self._record(work.filter(bad.fill_null(value=False)), reason, column, Action.KEPT)

    def note_replaced(self, work: pl.DataFrame) -> None:
        """Record each field of `work` in which bytes were no text and a replacement stands."""
        for name in (name for name in work.columns if name != ROW):
            self.note(work, pl.col(name).str.contains(REPLACEMENT, literal=True), Reason.UNREADABLE_TEXT, name)

    def frame(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Return all rejects in the order of the source, in `REJECT_SCHEMA`.

        Args:
            raw: the table as it was read, with its row numbers in `ROW`; gives the raw row of each reject.
        """
        empty = pl.DataFrame(schema=REJECT_SCHEMA)
        parts = [part.with_columns(pl.lit(self.table).alias("table")) for part in self._parts if len(part)]
        if not parts:
            return empty
        rejects = pl.concat([empty, *parts], how="diagonal")
        dropped = rejects.filter(pl.col("action") == Action.DROPPED.value).select("row")
        # A field emptied in a row that was dropped later is no longer "kept"; the raw row still shows it.
        kept = rejects.filter(pl.col("action") == Action.KEPT.value).join(dropped, on="row", how="anti")
        rejects = pl.concat([rejects.filter(pl.col("action") == Action.DROPPED.value), kept])
        return rejects.pipe(_with_raw, raw).sort("row", "reason", "column").select(list(REJECT_SCHEMA))

    def _record(self, rows: pl.DataFrame, reason: Reason, column: str, action: Action) -> None:
        value = pl.col(column).cast(pl.String) if column in rows.columns else pl.lit(None, dtype=pl.String)
        self._parts.append(
            rows.select(
                pl.col(ROW).alias("row"),
                pl.lit(reason.value).alias("reason"),
                pl.lit(column).alias("column"),
                value.alias("value"),
                pl.lit(action.value).alias("action"),
            )
        )


def _with_raw(rejects: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    fields = [name for name in raw.columns if name != ROW]
    if not fields:
        return rejects
    wanted = raw.join(rejects.select(pl.col("row").alias(ROW)).unique(), on=ROW, how="semi")
    texts = wanted.select(pl.col(ROW).alias("row"), pl.struct(fields).struct.json_encode().alias("__raw__"))
    joined = rejects.join(texts, on="row", how="left")
    return joined.with_columns(pl.coalesce("raw", "__raw__").alias("raw")).drop("__raw__")
