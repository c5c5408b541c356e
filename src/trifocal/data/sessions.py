"""Sessions by idle gap: a pause longer than the gap starts a new one."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from trifocal import columns as c

__all__ = ["with_sessions"]


def with_sessions(events: pl.DataFrame, gap_minutes: float) -> pl.DataFrame:
    """Return `events` with a session id `<user>-<n>` (n from 1) wherever there was none and the time is known.

    A pause of exactly the gap does not end a session. Events that came with a session id keep it, and events without
    a time stay without one.

    Args:
        events: canonical events, oldest first.
        gap_minutes: the longest pause within a session.
    """
    lacking = pl.col(c.SESSION_ID).is_null() & pl.col(c.TIMESTAMP).is_not_null()
    pause = pl.col(c.TIMESTAMP).diff().over(c.USER_ID)
    starts = pause.is_null() | (pause > timedelta(minutes=gap_minutes))
    number = starts.cast(pl.Int64).cum_sum().over(c.USER_ID)
    place = "__place__"
    numbered = events.with_row_index(place).filter(lacking)
    made = numbered.select(place, pl.concat_str(c.USER_ID, pl.lit("-"), number).alias("__session__"))
    joined = events.with_row_index(place).join(made, on=place, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(c.SESSION_ID, "__session__").alias(c.SESSION_ID)).drop(place, "__session__")
