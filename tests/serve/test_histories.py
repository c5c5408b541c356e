"""Histories online are the histories offline: same rules, held against each other event for event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal import columns as c
from trifocal.data.histories import user_histories
from trifocal.features.context import ContextVocabulary
from trifocal.ports import StoredEvent
from trifocal.serve.histories import HistoryCoder, KnownHistories, followed_by, joined
from trifocal.types import History, UserId, Vocabulary

CODER = HistoryCoder(
    Vocabulary.of(["a", "b", "c"]), ContextVocabulary(Vocabulary.of(["desktop", "phone"]), Vocabulary.of(["NL"]))
)

_EVENTS = st.lists(
    st.builds(
        StoredEvent,
        event_id=st.just(""),
        user_id=st.sampled_from(["ann", "ben"]),
        item_id=st.sampled_from(["a", "b", "c", "unknown"]),
        event=st.sampled_from(["impression", "click", "cart", "purchase", "rating"]),
        timestamp_s=st.integers(1, 50).map(float),
        device=st.sampled_from(["phone", "desktop", "fridge", None]),
        country=st.sampled_from(["NL", None]),
        value=st.sampled_from([None, 1.0, 3.9, 4.0, 5.0]),
    ),
    max_size=30,
).map(lambda events: sorted(events, key=lambda event: event.timestamp_s))


def event(item_id: str, name: str, timestamp_s: float, value: float | None = None) -> StoredEvent:
    return StoredEvent("", "ann", item_id, name, timestamp_s, value=value)


def frame(events: list[StoredEvent]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            c.USER_ID: [e.user_id for e in events],
            c.ITEM_ID: [e.item_id for e in events],
            c.EVENT: [e.event for e in events],
            c.TIMESTAMP: [datetime.fromtimestamp(e.timestamp_s, UTC) for e in events],
            c.DEVICE: [e.device for e in events],
            c.COUNTRY: [e.country for e in events],
            c.VALUE: [e.value for e in events],
        },
        schema={
            c.USER_ID: pl.String(),
            c.ITEM_ID: pl.String(),
            c.EVENT: pl.String(),
            c.TIMESTAMP: pl.Datetime("us", "UTC"),
            c.DEVICE: pl.String(),
            c.COUNTRY: pl.String(),
            c.VALUE: pl.Float64(),
        },
    )


def columns(history: History) -> list[list[int]]:
    return [
        history.item_rows.tolist(),
        history.event_codes.tolist(),
        history.timestamps_s.tolist(),
        history.device_codes.tolist(),
        history.country_codes.tolist(),
    ]


@settings(max_examples=150, deadline=None)
@given(events=_EVENTS, cut=st.integers(0, 30))
def test_wherever_the_log_is_cut_both_worlds_agree(events: list[StoredEvent], cut: int) -> None:
    offline = user_histories(frame(events), CODER.vocabulary, CODER.context)
    known = KnownHistories(frame(events[:cut]), CODER)
    for user_id in ("ann", "ben"):
        # Times in the log after the cut may equal those before it: such twins are taken for one event.
        own = [e for e in events if e.user_id == user_id]
        before = {(e.item_id, e.event, e.timestamp_s) for e in events[:cut] if e.user_id == user_id}
        live = [e for e in events[cut:] if e.user_id == user_id]
        if any((e.item_id, e.event, e.timestamp_s) in before for e in live):
            continue
        online = joined(known.history(user_id), CODER.history(live))
        expected = offline.get(UserId(user_id), History())
        assert columns(online) == columns(expected), own


def test_a_run_becomes_its_strongest_event_at_its_first_time() -> None:
    live = CODER.history(
        [event("a", "click", 1), event("a", "purchase", 2), event("a", "cart", 3), event("b", "click", 4)]
    )
    merged = joined(History(), live)
    # Codes: click 2, cart 3, purchase 4.
    assert columns(merged)[:3] == [[0, 1], [4, 2], [1, 4]]


def test_a_poor_rating_is_not_liked() -> None:
    live = CODER.history([event("a", "rating", 1, 3.5), event("b", "rating", 2, 4.0), event("c", "rating", 3)])
    assert live.item_rows.tolist() == [1, 2]


def test_what_bundle_and_store_both_hold_counts_once() -> None:
    log = [event("a", "click", 1), event("b", "click", 2), event("a", "click", 3)]
    known = KnownHistories(frame(log), CODER).history("ann")
    live = CODER.history([*log, event("c", "click", 4)])
    assert joined(known, live).item_rows.tolist() == [0, 1, 0, 2]


def test_events_of_unknown_time_keep_their_order() -> None:
    log = frame([event(item_id, "click", 5) for item_id in ("a", "b", "a")])
    known = KnownHistories(log.with_columns(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias(c.TIMESTAMP)), CODER)
    assert joined(known.history("ann"), CODER.history([event("c", "click", 9)])).item_rows.tolist() == [0, 1, 0, 2]


def test_live_events_come_last_even_where_a_clock_is_behind() -> None:
    known = KnownHistories(frame([event("a", "click", 10), event("b", "click", 20)]), CODER).history("ann")
    assert joined(known, CODER.history([event("c", "click", 15)])).item_rows.tolist() == [0, 1, 2]


def test_a_session_comes_last_whatever_its_times_say() -> None:
    known = CODER.history([event("a", "click", 10)])
    session = CODER.history([event("a", "cart", 0), event("b", "click", 1)])
    both = followed_by(known, session)
    assert columns(both)[:3] == [[0, 1], [3, 2], [10, 1]]


def test_codes_are_those_of_the_context_vocabulary() -> None:
    live = CODER.history([replace(event("a", "click", 1), device="phone", country="NL")])
    assert columns(live)[3:] == [[2], [1]]


def test_a_bundle_without_optional_columns_is_read() -> None:
    log = frame([event("a", "click", 1)]).select(c.USER_ID, c.ITEM_ID, c.EVENT, c.TIMESTAMP)
    known = KnownHistories(log, CODER)
    assert (known.user_ids, known.count("ann"), known.count("ben")) == (["ann"], 1, 0)
