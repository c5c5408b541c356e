"""Sessions by idle gap, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.sessions import with_sessions

START = datetime(2024, 1, 1, tzinfo=UTC)


def events(rows: list[tuple[str, float | None, str | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            c.USER_ID: [user for user, _, _ in rows],
            c.ITEM_ID: ["i"] * len(rows),
            c.EVENT: ["click"] * len(rows),
            c.TIMESTAMP: [None if at is None else START + timedelta(minutes=at) for _, at, _ in rows],
            c.SESSION_ID: [session for _, _, session in rows],
        },
        schema_overrides={c.SESSION_ID: pl.String, c.TIMESTAMP: EVENT_SCHEMA[c.TIMESTAMP]},
    )
    return conform(frame, EVENT_SCHEMA)


def test_a_longer_pause_starts_a_session_and_an_equal_one_does_not() -> None:
    frame = events(
        [("a", 0, None), ("b", 1, None), ("a", 30, None), ("a", 60.1, None), ("b", 90, None), ("a", 61, None)]
    )
    assert with_sessions(frame, 30)[c.SESSION_ID].to_list() == ["a-1", "b-1", "a-1", "a-2", "b-2", "a-2"]


def test_given_sessions_stay_and_unknown_times_have_none() -> None:
    frame = events([("a", None, None), ("a", 0, "mine"), ("a", 1, None), ("b", 2, None)])
    assert with_sessions(frame, 30)[c.SESSION_ID].to_list() == [None, "mine", "a-1", "b-1"]


def test_no_events_and_no_times_are_fine() -> None:
    assert with_sessions(events([]), 30).is_empty()
    assert with_sessions(events([("a", None, None)]), 30)[c.SESSION_ID].to_list() == [None]
