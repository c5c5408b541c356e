"""The log of off-policy estimates by hand."""

from __future__ import annotations

from trifocal.feedback.experiments.exploration_log import explored_impressions
from trifocal.feedback.experiments.shoppers import event_frame
from trifocal.ports import StoredEvent


def _shown(
    item: str, at_s: float, propensity: float | None, answer: str | None = "x", kind: str = "impression"
) -> StoredEvent:
    name = f"{kind}-{answer}-{item}-{at_s}"
    return StoredEvent(name, "anna", item, kind, at_s, position=5, answer_id=answer, propensity=propensity)


def test_only_what_was_left_to_chance_counts_and_clicks_find_their_answer() -> None:
    events = event_frame(
        [
            _shown("a", 3, 0.9),
            _shown("b", 2, 0.005, "y"),
            _shown("b", 4, 0.005, "y"),
            _shown("c", 1, 1.0),
            _shown("d", 1, None),
            _shown("e", 1, 0.5, None),
            _shown("b", 5, None, "y", "click"),
            _shown("a", 6, None, "z", "click"),
            _shown("a", 6, None, "x", "cart"),
        ]
    )
    found = explored_impressions(events)
    assert found.select("answer_id", "item_id", "timestamp_s", "propensity", "reward").rows() == [
        ("y", "b", 2.0, 0.005, 1.0),
        ("x", "a", 3.0, 0.9, 0.0),
    ]


def test_nothing_logged_is_an_empty_log() -> None:
    assert explored_impressions(event_frame([])).height == 0
