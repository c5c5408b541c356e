from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.serve.remembering import RememberingEngine
from tests.serve.small_service import NOW_S, small_service

from trifocal.serve import Service
from trifocal.serve.online import Candidates
from trifocal.serve.watch.self_check import SelfCheck, golden_histories
from trifocal.types import FloatArray, History, Rankings, Request


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return small_service(tmp_path)


class Odd:
    """The engine of a service, odd in one way."""

    def __init__(self, service: Service, *, reverses: bool = False, breaks: str = "", rank_only: bool = False) -> None:
        self._engine, self._reverses, self._breaks, self._rank_only = (
            service.gateway.engine,
            reverses,
            breaks,
            rank_only,
        )
        self.vectors = self._engine.vectors

    def encode(self, requests: list[Request]) -> FloatArray:
        if self._breaks == "encode":
            raise RuntimeError("no encoder")
        return self._engine.encode(requests)

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        found = self._engine.retrieve(request, user, 12)
        turned = slice(None, None, -1) if self._reverses and not self._rank_only else slice(k)
        return Candidates(
            np.ascontiguousarray(found.item_rows[turned]),
            np.ascontiguousarray(found.scores[turned]),
            np.ascontiguousarray(found.deep[turned]),
            np.ascontiguousarray(found.linked[turned]),
        )

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        if self._breaks == "rank":
            raise RuntimeError("no ranker")
        rows = candidates.item_rows[::-1] if self._rank_only else candidates.item_rows
        return Rankings(rows[None].copy(), candidates.scores[None])

    similar = None


def check(service: Service) -> SelfCheck:
    histories = [History.of_rows([0, 3]), History.of_rows([1, 4]), History.of_rows([2, 5])]
    return SelfCheck(service.gateway.engine, service.catalogue, histories, NOW_S)


def test_a_healthy_engine_answers_as_it_did(service: Service) -> None:
    assert check(service).overlaps(service.gateway.engine, service.catalogue) == {"full": 1.0, "retrieval": 1.0}


def test_other_lists_are_seen_on_the_rung_that_gives_them(service: Service) -> None:
    golden = check(service)
    turned = golden.overlaps(Odd(service, reverses=True), service.catalogue)  # type: ignore[arg-type]
    assert max(turned.values()) < 0.5
    ranked = golden.overlaps(Odd(service, rank_only=True), service.catalogue, [0, 4])  # type: ignore[arg-type]
    assert ranked["full"] < 0.5
    assert ranked["retrieval"] == 1


def test_what_breaks_answers_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    golden = check(service)
    assert golden.overlaps(Odd(service, breaks="encode"), service.catalogue) == {  # type: ignore[arg-type]
        "full": 0.0,
        "retrieval": 0.0,
    }
    assert golden.overlaps(Odd(service, breaks="rank"), service.catalogue) == {  # type: ignore[arg-type]
        "full": 0.0,
        "retrieval": 1.0,
    }
    assert "the ranker does not answer" in caplog.text


def test_a_memory_needs_no_model_to_pass(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    engine = RememberingEngine()
    golden = SelfCheck(engine, service.catalogue, [History.of_rows([0, 3]), History.of_rows([1, 4])], NOW_S)
    assert golden.rungs == ("full", "retrieval", "memory")
    engine.broken = ("encode",)
    assert golden.overlaps(engine, service.catalogue) == {"full": 0.0, "retrieval": 0.0, "memory": 1.0}
    engine.broken = ("remember",)
    assert golden.overlaps(engine, service.catalogue) == {"full": 1.0, "retrieval": 1.0, "memory": 0.0}
    assert "the memory does not answer" in caplog.text


def test_what_is_sold_out_meanwhile_counts_on_neither_side(service: Service) -> None:
    golden, catalogue = check(service), service.catalogue
    # The dresses that a lover of dresses is answered first.
    for row in (6, 9):
        catalogue = catalogue.with_offer(row, None, available=False)
    assert golden.overlaps(service.gateway.engine, catalogue)["full"] == 1


def test_without_questions_nothing_is_wrong(service: Service) -> None:
    empty = SelfCheck(service.gateway.engine, service.catalogue, [], NOW_S)
    assert empty.overlaps(service.gateway.engine, service.catalogue) == {"full": 1.0, "retrieval": 1.0}


def test_histories_are_those_of_shoppers_and_drawn_where_there_are_too_few() -> None:
    known = [History(), History.of_rows([1, 2]), History.of_rows([3])]
    found = golden_histories(known, items=5, count=4, seed=1)
    assert [history.item_rows.tolist() for history in found[:2]] == [[1, 2], [3]]
    assert len(found) == 4
    assert all((history.item_rows < 5).all() for history in found)
    assert len(golden_histories(known, items=5, count=1, seed=1)) == 1
