"""The shopper table by hand: first exposure, before and since, what counts for which metric."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from trifocal.feedback.experiments.shoppers import (
    METRICS,
    covariate,
    event_frame,
    exposures,
    read_events,
    shopper_table,
    started_at,
)
from trifocal.feedback.memory_store import MemoryEventStore
from trifocal.ports import StoredEvent


def _event(user: str, event: str, at_s: float, variant: str | None = None, **more: str | int) -> StoredEvent:
    return StoredEvent(f"{user}-{event}-{at_s}", user, "i", event, at_s, variant=variant, **more)  # type: ignore[arg-type]  # a test's shorthand


EVENTS = [
    _event("anna", "impression", 1, answer_id="x"),
    _event("anna", "click", 2, answer_id="x"),
    _event("anna", "impression", 10, "a"),
    _event("anna", "impression", 11, "a"),
    _event("anna", "click", 12, "a", session_id="s", dwell_ms=5000),
    _event("anna", "click", 13, session_id="s"),
    _event("anna", "impression", 13, "stopped:a", answer_id="y"),
    _event("anna", "click", 13.5, "stopped:a", answer_id="y"),
    _event("anna", "purchase", 14, session_id="s"),
    _event("ben", "impression", 9, "b"),
    _event("ben", "impression", 20, "a"),
    _event("carla", "impression", 5, "other"),
]


def _table() -> pl.DataFrame:
    events = event_frame(EVENTS)
    return shopper_table(events, exposures(events, ["a", "b"]))


def test_the_first_exposure_decides() -> None:
    found = exposures(event_frame(EVENTS), ["a", "b"])
    assert found.rows() == [("ben", "b", 9.0, True), ("anna", "a", 10.0, False)]


def test_what_came_since_and_before() -> None:
    anna = _table().filter(pl.col("user_id") == "anna").row(0, named=True)
    assert (anna["impressions"], anna["clicks"], anna["bought"], anna["shopper"]) == (2.0, 1.0, 1.0, 1.0)
    assert (anna["before_impressions"], anna["before_clicks"], anna["before_bought"]) == (1.0, 1.0, 0.0)
    # One click with a dwell is its own norm, one session: dwell unknown, bought 1 of 1.
    assert (anna["content"], anna["sessions"]) == (1.0, 1.0)


def test_who_did_nothing_counts_with_nothing() -> None:
    ben = _table().filter(pl.col("user_id") == "ben").row(0, named=True)
    assert (ben["impressions"], ben["clicks"], ben["bought"], ben["sessions"]) == (2.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("name", "expected"), [("ctr", [np.nan, 1.0]), ("conversion", [np.nan, 0.0])])
def test_the_covariate_is_known_of_those_who_were_there_before(name: str, expected: list[float]) -> None:
    assert np.array_equal(covariate(_table(), METRICS[name]), expected, equal_nan=True)


def test_a_store_is_read_whole() -> None:
    store = MemoryEventStore()
    store.append(EVENTS)
    assert read_events(store).equals(event_frame(EVENTS))
    assert read_events(MemoryEventStore()).equals(event_frame([]))


def test_what_was_before_the_start_exposes_nobody() -> None:
    events = started_at(event_frame(EVENTS), 10.0)
    assert exposures(events, ["a", "b"])["user_id"].to_list() == ["anna", "ben"]
    assert exposures(events, ["a", "b"])["variant"].to_list() == ["a", "a"]
