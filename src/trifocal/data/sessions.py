"""Sessions by idle gap: a pause longer than the gap starts a new one."""

from __future__ import annotations

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.types import IntArray

__all__ = ["session_numbers", "with_sessions"]

_MICROSECONDS_A_MINUTE = 60_000_000


def with_sessions(events: pl.DataFrame, gap_minutes: float) -> pl.DataFrame:
    """Return `events` with a session id `<user>-<n>` (n from 1) wherever there was none and the time is known.

    A pause of exactly the gap does not end a session. Events that came with a session id keep it, and events without
    a time stay without one.

    Args:
        events: canonical events, oldest first.
        gap_minutes: the longest pause within a session.
    """
    lacking = events[c.SESSION_ID].is_null() & events[c.TIMESTAMP].is_not_null()
    if not lacking.any():
        return events
    chosen = events.filter(lacking)
    numbers = session_numbers(
        chosen[c.USER_ID].cast(pl.Categorical).to_physical().to_numpy().astype(np.int64),
        chosen[c.TIMESTAMP].dt.epoch("us").to_numpy(),
        round(gap_minutes * _MICROSECONDS_A_MINUTE),
    )
    made = chosen.select(pl.concat_str(c.USER_ID, pl.lit("-"), pl.Series(numbers))).to_series()
    return events.with_columns(events[c.SESSION_ID].scatter(lacking.arg_true(), made))


def session_numbers(users: IntArray, times: IntArray, gap: int) -> IntArray:
    """Return for each event the number of its session among those of its user, from 1.

    Args:
        users: (L,) code of the user.
        times: (L,) rising within a user.
        gap: longest pause within a session, in the unit of `times`.

    >>> session_numbers(np.array([7, 8, 7, 7]), np.array([0, 5, 30, 61]), 30).tolist()
    [1, 1, 1, 2]
    """
    order = np.argsort(users, kind="stable")
    user, time = users[order], times[order]
    new_user = np.r_[True, user[1:] != user[:-1]]
    starts = new_user | np.r_[True, np.diff(time) > gap]
    running = np.cumsum(starts)
    # The running number at a user's first event, carried to all events of that user.
    before = np.maximum.accumulate(np.where(new_user, running, 0)) - 1
    numbers = np.empty(len(users), dtype=np.int64)
    numbers[order] = running - before
    return numbers
