from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.model.test_two_stage import RANKED, RERANKED, N, asked, recommender

from trifocal.errors import ServingError
from trifocal.index import ExactIndex
from trifocal.model.two_stage import Blend, TwoStageRecommender
from trifocal.serve.online import OnlineEngine, online_engine
from trifocal.types import Context, History, Request

GENERATOR = np.random.default_rng(7)
REQUESTS = [
    asked(1, 4, 7),
    asked(0),
    asked(),
    asked(2, 3, query=True),
    asked(5, exclude=[]),
    asked(1, exclude=[row for row in range(N) if row not in (3, 6)]),
    asked(exclude=list(range(N))),
    *(asked(*GENERATOR.choice(N, size, replace=False).tolist()) for size in (1, 2, 3, 5, 8, 8, 8)),
]


def engine(model: TwoStageRecommender) -> OnlineEngine:
    return online_engine(model, index=ExactIndex(model.item_vectors))


def same(model: TwoStageRecommender, k: int, requests: list[Request] | None = None) -> None:
    asked_for = requests or REQUESTS
    offline, online = model.recommend(asked_for, k), engine(model).recommend(asked_for, k)
    assert online.item_rows.tolist() == offline.item_rows.tolist()


@pytest.mark.parametrize("k", [1, RANKED])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("blend", [RERANKED, replace(RERANKED, retrieval=0.0), Blend(0.5), Blend(10.0, ranker=True)])
def test_the_services_answer_as_the_model_does(blend: Blend, seed: int, k: int) -> None:
    same(recommender(seed).with_blend(blend), k)


def test_without_a_memory_the_user_vector_retrieves_alone() -> None:
    model = recommender()
    bare = model.with_items("bare", replace(model.knowledge, memory=None)).with_blend(Blend())
    same(bare, RANKED)


def test_events_of_another_day_are_told_from_those_of_the_visit() -> None:
    day = 86_400
    history = History(
        np.array([1, 4, 7]),
        np.ones(3, np.int64),
        np.array([10**9 - 3 * day, 10**9 - day, 10**9 - 60]),
        np.ones(3, np.int64),
        np.ones(3, np.int64),
    )
    request = Request(history, Context(10**9, 1, 1), np.array([1, 4, 7]))
    old = Request(history.last(2), Context(10**9 + 30 * day, 1, 1), np.array([1]))
    same(recommender(), RANKED, [request, old])


def test_a_request_by_itself_is_answered_as_in_a_batch() -> None:
    services = engine(recommender())
    together = services.recommend(REQUESTS, 4)
    for line, request in enumerate(REQUESTS):
        alone = services.recommend([request], 4)
        assert alone.item_rows[0].tolist() == together.item_rows[line].tolist()


def test_a_list_is_filled_up_where_fewer_items_are_left() -> None:
    found = engine(recommender()).recommend([asked(1, exclude=[row for row in range(N) if row != 3])], 4)
    assert found.item_rows.tolist() == [[3, -1, -1, -1]]
    assert np.isneginf(found.scores[0, 1:]).all()


class Forbidden:
    """Vectors, an index, a network: whatever is asked of it fails."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"{name} is not to be asked")


@pytest.mark.parametrize("k", [1, 4, N])
@pytest.mark.parametrize("seed", range(3))
def test_the_memory_answers_as_the_model_does_without_its_deep_score(seed: int, k: int) -> None:
    model = recommender(seed)
    by_links = model.with_blend(Blend(retrieval=0.0, ranker=False))
    services = engine(model)
    # As a service is whose vectors and networks are gone.
    bare = replace(services, encoding=Forbidden(), ranking=Forbidden(), vectors=Forbidden())  # type: ignore[arg-type]
    services.retrieval._vectors = services.retrieval._index = Forbidden()  # type: ignore[attr-defined]
    for request in linked_ones(model):
        expected = by_links.recommend([request], k).item_rows[0]
        found = bare.remember(request, k)
        assert found.item_rows.tolist() == expected[expected >= 0].tolist()
        assert np.array_equal(found.scores, found.linked)
        assert not found.deep.any()


def linked_ones(model: TwoStageRecommender) -> list[Request]:
    """The requests without a query of whose history the memory knows a link."""
    memory = model.knowledge.memory
    assert memory is not None
    found = [
        request
        for request in REQUESTS
        if request.context.query_vector is None and len(memory.links_of(np.unique(request.history.item_rows))[0])
    ]
    assert len(found) > 5
    return found


def test_the_memory_reads_no_query_and_answers_nobody_whose_history_is_linked_with_nothing() -> None:
    services = engine(recommender())
    # Nobody took the last item.
    assert len(services.remember(asked(), 3)) == len(services.remember(asked(N - 1), 3)) == 0
    plain, query = services.remember(asked(2, 3), 3), services.remember(asked(2, 3, query=True), 3)
    assert query.item_rows.tolist() == plain.item_rows.tolist()


def test_a_model_without_a_memory_says_so() -> None:
    model = recommender()
    bare = engine(model.with_items("bare", replace(model.knowledge, memory=None)).with_blend(Blend()))
    with pytest.raises(ServingError, match="this model has no memory to answer from"):
        bare.remember(asked(1), 3)
