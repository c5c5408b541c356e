from __future__ import annotations

import json

import pytest

from trifocal.errors import DataError
from trifocal.feedback.messages import EventMessage, event_of
from trifocal.ports import StoredEvent
from trifocal.serve.events_wire import EventBody

WHOLE = {
    "event_id": "x", "user_id": "ann", "item_id": "shoe", "event": "purchase", "timestamp": "2026-03-01T12:00:00+01:00",
    "session_id": "s", "device": "phone", "country": "NL", "dwell_ms": 900, "position": 3, "query": "red shoe",
    "value": 2.5, "answer_id": "a", "propensity": 0.5, "model_version": "m", "variant": "v", "rung": "full",
}  # fmt: skip


def test_every_field_comes_through() -> None:
    event = event_of(json.dumps(WHOLE).encode(), event_id="other", timestamp_s=0.0)
    # 11:00 UTC on the first of March 2026.
    assert event == StoredEvent(
        "x", "ann", "shoe", "purchase", 1772362800.0, "s", "phone", "NL", 900, 3, "red shoe", 2.5, "a", 0.5, "m", "v",
        "full",
    )  # fmt: skip


def test_a_time_without_zone_is_utc() -> None:
    text = json.dumps({**WHOLE, "timestamp": "2026-03-01T11:00:00"}).encode()
    assert event_of(text, event_id="x", timestamp_s=0.0).timestamp_s == 1772362800.0


def test_it_is_the_body_of_the_http_api() -> None:
    assert set(EventMessage.model_fields) == set(EventBody.model_fields)
    body = EventBody.model_validate_json(json.dumps(WHOLE))
    assert body.stored(0.0) == event_of(json.dumps(WHOLE).encode(), event_id="x", timestamp_s=0.0)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"user_id": ""}, "user_id: String should have at least 1"),
        ({"user_id": "x" * 201}, "user_id: String should have at most 200"),
        ({"position": 0}, "position: Input should be greater"),
        ({"dwell_ms": 2**60}, "dwell_ms: Input should be less"),
        ({"propensity": 1.5}, "propensity: Input should be less"),
        ({"value": float("nan")}, "value: Input should be a finite number"),
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"query": "a\0b"}, "query: String should match"),
    ],
)
def test_what_the_http_api_refuses_is_refused(change: dict[str, object], fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        event_of(json.dumps({**WHOLE, **change}).encode(), event_id="x", timestamp_s=0.0)


def test_every_fault_is_said() -> None:
    with pytest.raises(DataError, match="item_id: Field required; event: Field required; send it as one event"):
        event_of(b'{"user_id": "ann"}', event_id="x", timestamp_s=0.0)
