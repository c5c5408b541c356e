from __future__ import annotations

import numpy as np
import pytest
from tests.contracts.index import ExactIndexContract, MutableIndexContract

from trifocal.index import ExactIndex, Flat8Index, HnswIndex, IvfPqIndex, LiveIndex, SearchPlan
from trifocal.types import FloatArray

CODES_ONLY = SearchPlan(breadth=64, rescoring=8, exact_up_to=0)


def live_index(base: ExactIndex | Flat8Index | HnswIndex | IvfPqIndex) -> LiveIndex:
    return LiveIndex(base, width=base.vectors.shape[1])


class TestLiveExactIndex(MutableIndexContract, ExactIndexContract):
    def build(self, vectors: FloatArray) -> LiveIndex:
        return live_index(ExactIndex(vectors))


class TestLiveFlat8Index(MutableIndexContract):
    recall_floor = 0.99

    def build(self, vectors: FloatArray) -> LiveIndex:
        return live_index(Flat8Index(vectors, CODES_ONLY))


class TestLiveHnswIndex(MutableIndexContract):
    recall_floor = 0.97

    def build(self, vectors: FloatArray) -> LiveIndex:
        return live_index(HnswIndex(vectors, CODES_ONLY, links=16, graph_breadth=60))


class TestLiveIvfPqIndex(MutableIndexContract):
    recall_floor = 0.95

    def build(self, vectors: FloatArray) -> LiveIndex:
        return live_index(IvfPqIndex(vectors, CODES_ONLY))


def test_it_may_begin_empty() -> None:
    index = LiveIndex(ExactIndex(np.zeros((0, 2), np.float32)), width=2)
    assert index.search(np.ones((1, 2), np.float32), 2).item_rows.tolist() == [[-1, -1]]
    index.add(np.array([[1, 1], [2, 2]], np.float32))
    assert index.search(np.ones((1, 2), np.float32), 3).item_rows.tolist() == [[1, 0, -1]]


def test_it_says_how_much_has_changed() -> None:
    index = LiveIndex(ExactIndex(np.eye(3, dtype=np.float32)), width=3)
    index.add(np.eye(3, dtype=np.float32)[:2])
    index.replace(0, np.ones(3, np.float32))
    index.remove(np.array([1, 3]))
    assert (index.n_fresh, index.n_hidden, len(index)) == (2, 2, 5)


def test_what_was_added_is_a_copy() -> None:
    index, fresh = LiveIndex(ExactIndex(np.eye(2, dtype=np.float32)), width=2), np.array([[5, 5]], np.float32)
    index.add(fresh)
    fresh[:] = 0
    assert index.search(np.ones((1, 2), np.float32), 1).scores.tolist() == [[10]]


def test_equal_items_are_not_ordered_by_age() -> None:
    first = []
    for seed in range(12):
        index = LiveIndex(ExactIndex(np.ones((10, 1), np.float32), seed=seed), width=1, seed=seed)
        index.add(np.ones((10, 1), np.float32))
        first.append(int(index.search(np.ones((1, 1), np.float32), 1).item_rows[0, 0]))
    assert min(first) < 10 <= max(first)


@pytest.mark.parametrize("kind", [Flat8Index, IvfPqIndex])
def test_many_changes_keep_the_lists_full(kind: type[Flat8Index] | type[IvfPqIndex]) -> None:
    vectors = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
    index = live_index(kind(vectors, CODES_ONLY))
    index.remove(np.arange(0, 600, 2))
    index.add(vectors[:100])
    found = index.search(vectors[:5], 400)
    assert (found.item_rows >= 0).all()
    assert not np.isin(found.item_rows, np.arange(0, 600, 2)).any()


def test_a_snapshot_does_not_see_what_comes_after_it() -> None:
    index, query = LiveIndex(ExactIndex(np.eye(2, dtype=np.float32)), width=2), np.ones((1, 2), np.float32)
    before = index.snapshot()
    index.add(np.array([[5, 5]], np.float32))
    index.remove(np.array([0]))
    assert (len(before), len(index)) == (2, 3)
    assert sorted(before.search(query, 3).item_rows[0].tolist()) == [-1, 0, 1]
    before.add(np.array([[9, 9]], np.float32))
    assert index.search(query, 1).scores.tolist() == [[10]]
