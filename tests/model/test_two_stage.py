from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from tests.model.small_knowledge import small_knowledge
from tests.model.small_model import SMALL

from trifocal.model import ModelShapes, build_model
from trifocal.model.two_stage import Blend, TwoStageRecommender
from trifocal.types import Context, History, IntArray, Request

N, TEXT, RANKED = 14, 6, 5
SHAPES = ModelShapes(
    n_items=N, text_width=TEXT, image_width=6, grid_cells=4, attribute_sizes=(3, 4), devices=3, countries=3
)
RERANKED = Blend(retrieval=0.02, ranker=True, ranking=0.3)
QUERY = np.ones(TEXT, np.float32)


@cache
def recommender(seed: int = 0, rank_candidates: int = RANKED) -> TwoStageRecommender:
    """A model whose weights, ranker's and all, are by chance."""
    torch.manual_seed(seed)
    model = build_model(SMALL, SHAPES)
    torch.nn.init.normal_(model.ranker.out.weight)
    torch.nn.init.normal_(model.ranker.linear.weight)
    torch.nn.init.normal_(model.user_tower.out.weight, std=0.2)
    return TwoStageRecommender(
        name="trifocal",
        model=model,
        knowledge=small_knowledge(N, SMALL.embedding_size, SHAPES.attribute_sizes, seed),
        blend=RERANKED,
        history_length=SMALL.history_length,
        text_width=TEXT,
        rank_candidates=rank_candidates,
    )


def asked(*rows: int, exclude: list[int] | None = None, query: bool = False) -> Request:
    barred = np.array(list(rows) if exclude is None else exclude, dtype=np.int64)
    return Request(History.of_rows(rows), Context(10**9, 1, 1, QUERY if query else None), barred)


REQUESTS = [asked(1, 4, 7), asked(0), asked(), asked(2, 3, query=True), asked(5, exclude=[])]


def lists(found: TwoStageRecommender, k: int, requests: list[Request] | None = None) -> IntArray:
    return found.recommend(requests or REQUESTS, k).item_rows


@pytest.mark.parametrize("k", [1, 3, RANKED, 9, N])
@pytest.mark.parametrize("seed", range(3))
def test_lists_fall_in_score_and_hold_nothing_twice(k: int, seed: int) -> None:
    found = recommender(seed).recommend(REQUESTS, k)
    assert found.item_rows.shape == found.scores.shape == (len(REQUESTS), k)
    for rows, scores in zip(found.item_rows, found.scores, strict=True):
        real = rows >= 0
        assert np.isfinite(scores[real]).all()
        assert np.all(np.diff(scores[real]) <= 0)
        assert np.isneginf(scores[~real]).all()
        assert len(set(rows[real].tolist())) == real.sum()


def test_the_tail_stays_behind_the_head_in_the_order_of_retrieval() -> None:
    reranked = recommender()
    retrieved, found = lists(reranked.with_blend(replace(RERANKED, ranker=False)), N), lists(reranked, N)
    assert found[:, RANKED:].tolist() == retrieved[:, RANKED:].tolist()
    assert np.sort(found[:, :RANKED]).tolist() == np.sort(retrieved[:, :RANKED]).tolist()
    assert found[:, :RANKED].tolist() != retrieved[:, :RANKED].tolist()


def test_a_short_list_is_the_beginning_of_a_long_one() -> None:
    assert lists(recommender(), 3).tolist() == lists(recommender(), N)[:, :3].tolist()


def test_what_is_excluded_never_appears() -> None:
    everything_but_two = asked(1, exclude=[row for row in range(N) if row not in (3, 6)])
    found = lists(recommender(), 8, [everything_but_two, asked(1, 4, 7), asked(exclude=list(range(N)))])
    assert sorted(found[0, :2].tolist()) == [3, 6]
    assert found[0, 2:].tolist() == [-1] * 6
    assert not {1, 4, 7} & set(found[1].tolist())
    assert found[2].tolist() == [-1] * 8


def test_where_few_are_left_the_excluded_are_no_measure_for_them() -> None:
    """Two items are left: places that stay empty must not change what the ranker makes of them."""
    memory = recommender().knowledge.memory
    assert memory is not None
    # The two that the memory likes least, so that what is excluded, row 0 too, would be ahead of them.
    least = np.argsort(memory.scores([np.array([5])])[0])[:2]
    request = asked(5, exclude=[row for row in range(N) if row not in least])
    few, many = (recommender(rank_candidates=size).recommend([request], 2) for size in (2, 10))
    assert few.item_rows.tolist() == many.item_rows.tolist()
    np.testing.assert_allclose(few.scores, many.scores, atol=1e-5)


def test_requests_do_not_change_each_other() -> None:
    found = recommender()
    alone = [lists(found, 9, [request])[0].tolist() for request in REQUESTS]
    assert lists(found, 9).tolist() == alone


def test_a_search_is_ranked_by_its_deep_score() -> None:
    found = recommender()
    deep = TwoStageRecommender(
        name="deep",
        model=found.model,
        knowledge=replace(found.knowledge, memory=None),
        blend=Blend(),
        history_length=SMALL.history_length,
        text_width=TEXT,
        rank_candidates=RANKED,
    )
    searches = [asked(2, 3, query=True), asked(query=True)]
    assert lists(found, 10, searches).tolist() == lists(deep, 10, searches).tolist()
    assert lists(found, 10, [asked(2, 3)]).tolist() != lists(deep, 10, [asked(2, 3)]).tolist()
    barred = np.array([4])
    searched = found.search(QUERY, 6, barred)
    nameless = [Request(context=Context(query_vector=QUERY), exclude=barred)]
    assert searched.item_rows.tolist() == lists(deep, 6, nameless).tolist()


def test_who_is_unknown_sees_what_is_popular_where_the_towers_have_no_say() -> None:
    found = lists(recommender().with_blend(Blend()), N, [asked()])[0]
    counts = recommender().knowledge.evidence.counts
    assert np.all(np.diff(counts[found]) <= 0)


def test_the_memory_alone_is_its_links_with_popularity_among_equals() -> None:
    found = recommender().with_blend(Blend())
    memory = found.knowledge.memory
    assert memory is not None
    scores = memory.scores([np.array([1, 4, 7])])[0] + 1e-4 * np.log1p(found.knowledge.evidence.counts)
    scores[[1, 4, 7]] = -np.inf
    expected = np.argsort(-scores, kind="stable")[:9]
    assert lists(found, 9, [asked(1, 4, 7)])[0].tolist() == expected.tolist()


def test_similar_items_are_those_of_like_vectors() -> None:
    found = recommender()
    vectors = found.item_vectors / np.linalg.norm(found.item_vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors[2]
    cosines[[2, 5]] = -np.inf
    assert found.similar(2, 4, np.array([5])).item_rows[0].tolist() == np.argsort(-cosines)[:4].tolist()


def test_other_blends_and_items_leave_the_recommender_as_it_is() -> None:
    found = recommender()
    other = small_knowledge(N, SMALL.embedding_size, SHAPES.attribute_sizes, seed=9)
    changed = found.with_items("changed", other).with_blend(Blend(retrieval=10.0))
    assert (changed.name, changed.blend, changed.model) == ("changed", Blend(retrieval=10.0), found.model)
    assert (found.name, found.blend) == ("trifocal", RERANKED)
    assert changed.knowledge is other
