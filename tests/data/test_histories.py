from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl

from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.histories import interaction_matrix, positives, user_histories
from trifocal.features.context import ContextVocabulary
from trifocal.types import EVENT_CODES, Vocabulary

VOCABULARY = Vocabulary.of(["a", "b", "c"])
CONTEXT = ContextVocabulary.fit(["phone", "desktop"], ["SE"])


def frame(*rows: tuple[str, str, str, int, str | None, float | None]) -> pl.DataFrame:
    """Events of (user, item, event, seconds, device, value)."""
    names = ["user_id", "item_id", "event", "timestamp", "device", "value"]
    events = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    return conform(events.with_columns(pl.from_epoch("timestamp", "s").dt.replace_time_zone("UTC")), EVENT_SCHEMA)


def test_positives_are_acts_and_good_ratings() -> None:
    events = frame(
        ("u", "a", "impression", 1, None, None),
        ("u", "a", "click", 2, None, None),
        ("u", "a", "cart", 3, None, None),
        ("u", "a", "purchase", 4, None, 0.5),
        ("u", "a", "rating", 5, None, 3.9),
        ("u", "a", "rating", 6, None, 4.0),
        ("u", "a", "rating", 7, None, None),
    )
    kept = positives(events)["timestamp"].dt.epoch("s").to_list()
    assert kept == [2, 3, 4, 6, 7]
    assert positives(events, min_rating=3.0)["timestamp"].dt.epoch("s").to_list() == [2, 3, 4, 5, 6, 7]


def test_histories_are_oldest_first_and_merge_runs() -> None:
    events = frame(
        ("u", "b", "click", 10, "phone", None),
        ("v", "a", "click", 11, None, None),
        ("u", "b", "purchase", 12, "desktop", None),
        ("u", "b", "cart", 13, "desktop", None),
        ("u", "b", "impression", 14, "desktop", None),
        ("u", "a", "rating", 15, "watch", None),
        ("u", "zz", "click", 16, "phone", None),
        ("u", "b", "click", 17, "desktop", None),
        ("w", "zz", "click", 18, "phone", None),
    )
    found = user_histories(events, VOCABULARY, CONTEXT)
    assert set(found) == {"u", "v"}
    history = found["u"]  # type: ignore[index]  # a plain str is enough here
    assert history.item_rows.tolist() == [1, 0, 1]
    assert history.event_codes.tolist() == [EVENT_CODES["purchase"], EVENT_CODES["rating"], EVENT_CODES["click"]]
    assert history.timestamps_s.tolist() == [10, 15, 17]
    assert history.device_codes.tolist() == [CONTEXT.device_code("phone"), 0, CONTEXT.device_code("desktop")]
    assert history.country_codes.tolist() == [0, 0, 0]
    assert {array.dtype for array in vars(history).values()} == {np.dtype(np.int64)}


def test_a_run_never_reaches_over_two_users() -> None:
    events = frame(("u", "a", "click", 1, None, None), ("v", "a", "purchase", 2, None, None))
    found = user_histories(events, VOCABULARY, CONTEXT)
    assert [h.event_codes.tolist() for h in found.values()] == [[EVENT_CODES["click"]], [EVENT_CODES["purchase"]]]


def test_equal_times_keep_the_order_of_the_events() -> None:
    rows = [("u", item, "click", 5, None, None) for item in "cabcab"]
    (history,) = user_histories(frame(*rows), VOCABULARY, CONTEXT).values()
    assert history.item_rows.tolist() == [2, 0, 1, 2, 0, 1]


def test_histories_of_no_event_and_of_unknown_times() -> None:
    nothing = frame(("u", "a", "click", 1, None, None)).clear()
    assert user_histories(nothing, VOCABULARY, CONTEXT) == {}
    timeless = frame(("u", "a", "click", 1, None, None)).with_columns(
        pl.lit(None, dtype=EVENT_SCHEMA["timestamp"]).alias("timestamp")
    )
    (history,) = user_histories(timeless, VOCABULARY, CONTEXT).values()
    assert history.timestamps_s.tolist() == [0]


def test_interaction_matrix_is_binary_or_holds_the_greatest_weight() -> None:
    events = frame(
        ("v", "c", "click", 1, None, None),
        ("u", "a", "click", 2, None, None),
        ("u", "a", "purchase", 3, None, None),
        ("u", "b", "impression", 4, None, None),
    )
    matrix, users = interaction_matrix(events, VOCABULARY)
    assert users.ids == ("v", "u")
    assert matrix.toarray().tolist() == [[0, 0, 1], [1, 0, 0]]
    assert matrix.dtype == np.float32
    weighted, _ = interaction_matrix(events, VOCABULARY, weights={"click": 1.0, "purchase": 5.0})
    assert weighted.toarray().tolist() == [[0, 0, 1], [5, 0, 0]]


def test_an_hour_is_read_in_utc() -> None:
    moment = datetime(2024, 5, 1, 12, tzinfo=UTC)
    (history,) = user_histories(
        frame(("u", "a", "click", int(moment.timestamp()), None, None)), VOCABULARY, CONTEXT
    ).values()
    assert history.timestamps_s.tolist() == [1714564800]
