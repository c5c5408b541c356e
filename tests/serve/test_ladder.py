"""The rung `memory` in the gateway: what still answers when vectors, networks or threads do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.serve.remembering import RememberingEngine, by_links
from tests.serve.small_service import small_service

from trifocal.serve import Answer, Ask, Reason, Service
from trifocal.serve.entrance import RUNGS
from trifocal.serve.ladder import Ladder
from trifocal.types import History, IntArray, Request

MEMORY = RUNGS.index("memory")


@pytest.fixture
def engine() -> RememberingEngine:
    return RememberingEngine()


@pytest.fixture
def service(tmp_path: Path, engine: RememberingEngine) -> Service:
    return small_service(tmp_path, engine=engine)


def rows(service: Service, answer: Answer) -> IntArray:
    return service.catalogue.vocabulary.rows([item.card.item_id for item in answer.items])


def expected(service: Service, engine: RememberingEngine, *history: int) -> list[int]:
    """What the memory says of `history`: the black lamp, row 11, is sold out."""
    request = Request(History.of_rows(history), exclude=np.array([*history, 11]))
    return by_links(engine.engine, request, 3)


def test_the_rungs_stand_in_the_order_of_their_numbers(service: Service) -> None:
    gateway = service.gateway
    rungs = Ladder(gateway.engine, gateway.last_lists, np.zeros((1, 12), np.float32), 250.0).rungs()
    assert tuple(rung.name for rung in rungs) == RUNGS


@pytest.mark.parametrize("broken", [("encode",), ("retrieve",), ("encode", "vectors"), ("encode", "retrieve", "rank")])
def test_without_a_model_the_memory_answers(
    service: Service, engine: RememberingEngine, broken: tuple[str, ...]
) -> None:
    service.gateway.recommend(Ask(user_id="ann", k=3))
    engine.broken = broken
    answer = service.gateway.recommend(Ask(user_id="ann", k=3))
    assert answer.rung == "memory"
    ann = service.state.history("ann").item_rows.tolist()
    assert rows(service, answer).tolist() == expected(service, engine, *ann)
    assert {item.reason for item in answer.items} == {Reason("history")}


def test_the_memory_is_asked_nothing_else_and_its_order_stays(service: Service, engine: RememberingEngine) -> None:
    plain = service.gateway
    plain.entrance.open(MEMORY)
    engine.broken = ("vectors",)
    varied = plain.recommend(Ask(user_id="ann", k=3, diversity=0.9, query="lamp"))
    assert (varied.rung, engine.asked) == ("memory", ["remember"])
    assert varied.items == plain.recommend(Ask(user_id="ann", k=3)).items
    assert "encode" not in varied.stages_ms
    assert "remember" in varied.stages_ms


def test_who_has_no_history_is_answered_by_the_rungs_below(service: Service) -> None:
    gateway = service.gateway
    gateway.recommend(Ask(user_id="nobody", k=3))
    gateway.entrance.open(MEMORY)
    assert gateway.recommend(Ask(user_id="nobody", k=3)).rung == "last"
    assert gateway.recommend(Ask(k=3)).rung == "popular"


def test_a_memory_that_breaks_leaves_the_last_list(
    service: Service, engine: RememberingEngine, caplog: pytest.LogCaptureFixture
) -> None:
    before = service.gateway.recommend(Ask(user_id="ann", k=3))
    engine.broken = ("encode", "remember")
    after = service.gateway.recommend(Ask(user_id="ann", k=3))
    assert (after.rung, rows(service, after).tolist()) == ("last", rows(service, before).tolist())
    assert "rung memory failed" in caplog.text


def test_the_lists_of_the_memory_are_not_the_last_good_ones(service: Service) -> None:
    gateway = service.gateway
    gateway.entrance.open(MEMORY)
    gateway.recommend(Ask(user_id="ann", k=3))
    gateway.entrance.open(MEMORY + 1)
    assert gateway.recommend(Ask(user_id="ann", k=3)).rung == "popular"


def test_falling_back_begins_at_the_memory_and_asks_no_network(service: Service, engine: RememberingEngine) -> None:
    answer = service.gateway.fall_back(Ask(user_id="ann", k=3))
    assert (answer.rung, engine.asked) == ("memory", ["remember"])
    # Where a lower rung is in force, that one.
    service.gateway.entrance.open(MEMORY + 2)
    assert service.gateway.fall_back(Ask(user_id="ann", k=3)).rung == "popular"
