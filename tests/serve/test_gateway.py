from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.serve.small_service import NOW_S, small_service

from trifocal.errors import ConfigError, NotFoundError, ServingError
from trifocal.ports import StoredEvent
from trifocal.serve import Answer, Ask, Filters, Service, SessionEvent
from trifocal.serve.engines import WholeEngine
from trifocal.serve.queries import PooledEncoder
from trifocal.types import EventType, IntArray, Rankings, Request


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return small_service(tmp_path)


def ids(answer: Answer) -> list[str]:
    return [item.card.item_id for item in answer.items]


class RecordingEngine:
    """Remembers what it was asked; answers row 5."""

    name = "recording"
    item_vectors = np.eye(12, dtype=np.float32)

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        self.requests += requests
        return Rankings(np.array([[5] + [-1] * (k - 1)]), np.array([[1.0] + [-np.inf] * (k - 1)], np.float32))

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        raise RuntimeError("not asked for")


class BrokenEngine(RecordingEngine):
    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        raise RuntimeError("weights are gone")


def test_a_lover_of_dresses_gets_dresses(service: Service) -> None:
    answer = service.gateway.recommend(Ask(user_id="ann", k=2))
    # Red and blue dress are seen; the two others share kind but not colour.
    assert sorted(ids(answer)) == ["black-dress", "green-dress"]
    assert answer.rung == "full"
    assert list(answer.stages_ms) == ["state", "query", "exclude", "encode", "retrieve", "rank", "adjust", "answer"]
    assert len(answer.model_version) == 12


def test_live_events_change_the_next_answer(service: Service) -> None:
    before = ids(service.gateway.recommend(Ask(user_id="ben", k=3)))
    assert all(name.endswith("boot") for name in before)
    live = [StoredEvent(f"e{n}", "ben", name, "purchase", 500 + n) for n, name in enumerate(["red-lamp", "blue-lamp"])]
    service.state.record(live)
    after = service.gateway.recommend(Ask(user_id="ben", k=1))
    assert ids(after) == ["green-lamp"]


def test_a_session_without_a_name_is_enough(service: Service) -> None:
    session = (SessionEvent("red-lamp"), SessionEvent("blue-lamp", EventType.CART))
    assert ids(service.gateway.recommend(Ask(session=session, k=1))) == ["green-lamp"]


def test_a_stranger_gets_a_cold_answer(service: Service) -> None:
    answer = service.gateway.recommend(Ask(user_id="nobody", k=5))
    assert len(answer.items) == 5


def test_sold_out_seen_and_excluded_items_never_come(service: Service) -> None:
    answer = service.gateway.recommend(Ask(user_id="ann", k=100, exclude=("green-dress", "not-an-item")))
    assert set(ids(answer)).isdisjoint({"black-lamp", "red-dress", "blue-dress", "green-dress"})
    assert len(answer.items) == 8
    seen = service.gateway.recommend(Ask(user_id="ann", k=100, exclude_seen=False))
    assert "red-dress" in ids(seen)


def test_filters_hold(service: Service) -> None:
    answer = service.gateway.recommend(Ask(user_id="ann", k=100, filters=Filters("Home", price_max=60)))
    assert sorted(ids(answer)) == ["blue-lamp", "red-lamp"]


def test_a_broken_model_leaves_the_popular_items(tmp_path: Path) -> None:
    service = small_service(tmp_path, engine=WholeEngine(BrokenEngine()))
    answer = service.gateway.recommend(Ask(user_id="ann", k=3))
    # Popularity falls along the catalogue; red-dress and blue-dress are seen.
    assert (answer.rung, ids(answer)) == ("popular", ["red-boot", "red-lamp", "blue-boot"])


def test_nothing_left_is_an_empty_answer(service: Service) -> None:
    assert ids(service.gateway.recommend(Ask(filters=Filters(category="Garden")))) == []


def test_the_model_is_asked_with_everything_that_is_known(tmp_path: Path) -> None:
    engine = RecordingEngine()
    service = small_service(tmp_path, engine=WholeEngine(engine))
    service.gateway.recommend(
        Ask(user_id="ben", session=(SessionEvent("red-lamp"),), device="phone", country="DE", query="Blue  LAMP")
    )
    (request,) = engine.requests
    assert request.user_id == "ben"
    assert request.history.item_rows.tolist() == [1, 2]
    assert request.history.event_codes.tolist() == [2, 2]
    assert request.history.timestamps_s.tolist() == [200, int(NOW_S)]
    # Codes are rows + 1 in (desktop, phone) and (DE, NL).
    assert request.history.device_codes.tolist() == [2, 2]
    assert request.history.country_codes.tolist() == [2, 1]
    context = request.context
    assert (context.timestamp_s, context.device_code, context.country_code) == (int(NOW_S), 2, 1)
    # Words: red blue green black dress boot lamp.
    assert context.query_vector is not None
    assert context.query_vector.tolist() == [0, 1, 0, 0, 0, 0, 1]
    assert request.exclude.tolist() == [1, 2, 11]


def test_the_time_of_the_question_counts(tmp_path: Path) -> None:
    engine = RecordingEngine()
    service = small_service(tmp_path, engine=WholeEngine(engine))
    service.gateway.recommend(Ask(timestamp_s=77.9))
    assert engine.requests[0].context.timestamp_s == 77


def test_what_could_not_be_used_is_said(tmp_path: Path) -> None:
    def missing() -> PooledEncoder:
        raise ConfigError("pip install 'trifocal[encoders]'")

    service = small_service(tmp_path, encoder=missing)
    answer = service.gateway.recommend(Ask(query="lamp", session=(SessionEvent("hat"),)))
    assert answer.notes == (
        "items of the session that this bundle does not know were ignored: hat",
        "the query was ignored: pip install 'trifocal[encoders]'",
    )
    assert answer.items


def test_similar_items_are_of_one_kind(service: Service) -> None:
    answer = service.gateway.similar("red-lamp", 2)
    # The black lamp is sold out.
    assert sorted(ids(answer)) == ["blue-lamp", "green-lamp"]
    assert answer.rung == "vectors"


def test_similar_items_of_nothing_are_refused(service: Service) -> None:
    with pytest.raises(NotFoundError, match="item 'hat' is not among the 12 items"):
        service.gateway.similar("hat", 2)


@pytest.mark.parametrize("k", [0, 101])
def test_k_has_limits(service: Service, k: int) -> None:
    with pytest.raises(ServingError, match=f"k is {k}, it must be between 1 and 100"):
        service.gateway.recommend(Ask(k=k))
    with pytest.raises(ServingError, match=f"k is {k}"):
        service.gateway.similar("red-lamp", k)


def test_a_question_steps_onto_the_ladder_where_the_entrance_says(service: Service) -> None:
    gateway = service.gateway
    full = ids(gateway.recommend(Ask(user_id="ann", k=3)))
    # This model has no memory: the rung below answers.
    for rung, name in enumerate(("full", "retrieval", "last", "last", "popular")):
        gateway.entrance.open(rung)
        assert gateway.recommend(Ask(user_id="ann", k=3)).rung == name
    gateway.entrance.open(3)
    # The last good list is longer than the answer was: what is excluded now leaves enough.
    assert ids(gateway.recommend(Ask(user_id="ann", k=3, exclude=tuple(full[:1]))))[:2] == full[1:]
    assert gateway.recommend(Ask(user_id="nobody", k=3)).rung == "popular"


def test_lists_within_filters_and_those_of_probes_are_not_the_last_good_ones(service: Service) -> None:
    gateway = service.gateway
    gateway.recommend(Ask(user_id="ann", filters=Filters("Home")))
    gateway.entrance.open(4, probed=0, every=1)
    assert gateway.recommend(Ask(user_id="ann")).rung == "full"
    gateway.entrance.open(3)
    assert gateway.recommend(Ask(user_id="ann")).rung == "popular"
