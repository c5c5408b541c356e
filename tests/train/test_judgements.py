from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal import columns as c
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.histories import user_histories
from trifocal.features.context import ContextVocabulary
from trifocal.train.judgements import Judgements, rated_lists, shown_lists
from trifocal.types import EVENT_CODES, FloatArray, Vocabulary

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = Vocabulary.of([f"i{n}" for n in range(6)])
CONTEXT = ContextVocabulary.fit(["mobile"], ["DE"])
Row = tuple[str, str, str, int | None, str | None, float | None]


def log(*rows: Row, query: str | None = None) -> pl.DataFrame:
    """Events (user, item, type, second, session, value)."""
    names = (c.USER_ID, c.ITEM_ID, c.EVENT, c.TIMESTAMP, c.SESSION_ID, c.VALUE)
    frame = pl.DataFrame(
        [
            dict(zip(names, (u, i, e, None if t is None else START + timedelta(seconds=t), s, v), strict=True))
            for u, i, e, t, s, v in rows
        ]
    )
    return conform(frame.with_columns(pl.lit("mobile").alias(c.DEVICE), pl.lit(query).alias(c.QUERY)), EVENT_SCHEMA)


def vectors(queries: list[str]) -> dict[str, FloatArray]:
    return {query: np.full(3, len(query), dtype=np.float32) for query in queries}


def shown(events: pl.DataFrame) -> Judgements:
    return shown_lists(events, ITEMS, CONTEXT, vectors)


def as_lists(found: Judgements) -> list[tuple[str, int, dict[str, float]]]:
    return [
        (
            found.user_ids[s],
            int(found.before[s]),
            {ITEMS.ids[i]: float(v) for i, v in zip(*found.items(s), strict=True)},
        )
        for s in range(len(found))
    ]


def test_a_click_cuts_the_list_and_what_was_passed_over_is_in_the_same_one() -> None:
    events = log(
        ("u", "i0", "impression", 1, "s", None),
        ("u", "i1", "impression", 2, "s", None),
        ("u", "i1", "click", 3, "s", None),
        ("u", "i2", "impression", 4, "s", None),
        ("u", "i1", "purchase", 5, "s", None),
        ("u", "i3", "impression", 6, "s", None),
        ("u", "i3", "cart", 7, "s", None),
        ("v", "i0", "impression", 9, "t", None),
        query="red coat",
    )
    found = shown(events)
    assert as_lists(found) == [
        ("u", 0, {"i0": 0.0, "i1": 1.0}),
        ("u", 1, {"i2": 0.0, "i3": 1.0}),
        ("v", 0, {"i0": 0.0}),
    ]
    request = found.request(1, user_histories(events, ITEMS, CONTEXT), 5)  # type: ignore[arg-type]  # ids are text
    assert request.history.item_rows.tolist() == [1]
    # Bought a second later: when the list began it was a click.
    assert request.history.event_codes.tolist() == [EVENT_CODES["click"]]
    assert (request.context.timestamp_s, request.context.device_code) == (int(START.timestamp()) + 4, 1)
    assert request.context.query_vector is not None
    assert request.context.query_vector.tolist() == [8.0, 8.0, 8.0]


def test_a_second_showing_and_another_session_do_not_mix() -> None:
    events = log(
        ("u", "i0", "click", 0, "s", None),
        ("u", "i0", "impression", 1, "s", None),
        ("u", "i1", "impression", 2, "s", None),
        ("u", "i1", "impression", 3, "s", None),
        ("u", "i1", "impression", 9, "t", None),
        ("u", "i1", "click", 10, "t", None),
    )
    # The click on i0 came before it was shown; i1 was passed over in the first session, whatever the second says.
    assert as_lists(shown(events)) == [("u", 1, {"i0": 0.0, "i1": 0.0}), ("u", 1, {"i1": 1.0})]


def test_a_log_without_sessions_is_cut_by_pauses_and_one_without_times_by_order() -> None:
    events = log(("u", "i0", "impression", 0, None, None), ("u", "i1", "impression", 7200, None, None))
    assert [len(found[2]) for found in as_lists(shown(events))] == [1, 1]
    untimed = log(
        ("u", "i0", "impression", None, None, None),
        ("u", "i0", "click", None, None, None),
        ("u", "i1", "impression", None, None, None),
    )
    assert as_lists(shown(untimed)) == [("u", 0, {"i0": 1.0}), ("u", 1, {"i1": 0.0})]


def test_every_rating_is_kept_and_meets_only_what_was_liked_before() -> None:
    events = log(
        ("u", "i0", "rating", 1, None, 2.0),
        ("u", "i1", "rating", 2, None, 5.0),
        ("u", "i2", "rating", 3, None, 1.5),
        ("u", "i3", "rating", 3, None, 4.0),
        ("u", "i4", "rating", 3, None, None),
        ("u", "other", "rating", 4, None, 3.0),
    )
    found = rated_lists(events, ITEMS, CONTEXT)
    # i1 to i3 do not see each other: of one list, and i2, i3 of one moment.
    assert as_lists(found) == [("u", 0, {"i0": 2.0, "i1": 5.0}), ("u", 1, {"i2": 1.5, "i3": 4.0})]


def test_a_log_without_impressions_or_ratings_gives_nothing() -> None:
    events = log(("u", "i0", "click", 1, "s", None), ("u", "i1", "rating", 2, "s", None))
    assert (len(shown(events)), len(rated_lists(events, ITEMS, CONTEXT))) == (0, 0)


def test_a_long_list_is_cut() -> None:
    events = log(*[("u", f"i{n % 6}", "rating", n, "s", 1.0) for n in range(100)])
    assert [len(found[1]) for found in (rated_lists(events, ITEMS, CONTEXT).items(s) for s in range(2))] == [64, 36]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("uv"),
            st.integers(0, 5),
            st.sampled_from(["impression", "click", "purchase", "rating"]),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_a_request_holds_what_the_history_would_have_been_at_that_moment(
    drawn: list[tuple[str, int, str, int]],
) -> None:
    second, rows = 0, []
    for number, (user, item, event, pause) in enumerate(drawn):
        second += pause
        rows.append((user, f"i{item}", event, second, "s", float(1 + number % 5) if event == "rating" else None))
    events = log(*rows)
    whole = user_histories(events, ITEMS, CONTEXT)
    for found in (shown(events), rated_lists(events, ITEMS, CONTEXT)):
        for row in range(len(found)):
            moment = START + timedelta(seconds=int(found.timestamps_s[row]) - int(START.timestamp()))
            then = user_histories(events.filter(pl.col(c.TIMESTAMP) < moment), ITEMS, CONTEXT)
            expected = then.get(found.user_ids[row])  # type: ignore[call-overload]  # ids are text
            history = found.request(row, whole, 100).history  # type: ignore[arg-type]  # ids are text
            assert len(history) == (0 if expected is None else len(expected))
            if expected is not None:
                assert history.item_rows.tolist() == expected.item_rows.tolist()
                # Only the newest event can have become stronger since; older ones are closed.
                assert history.event_codes.tolist() == expected.event_codes.tolist()
