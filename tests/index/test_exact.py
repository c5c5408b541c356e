from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from tests.contracts.index import ExactIndexContract

from trifocal.errors import ConfigError
from trifocal.index import ExactIndex
from trifocal.ports import Index
from trifocal.types import FloatArray


class TestExactIndex(ExactIndexContract):
    def build(self, vectors: FloatArray) -> Index:
        return ExactIndex(vectors)


class TestExactIndexInSmallChunks(ExactIndexContract):
    def build(self, vectors: FloatArray) -> Index:
        return ExactIndex(vectors, scores_at_once=5)


def test_ties_follow_the_seed_not_the_row() -> None:
    vectors = np.ones((50, 1), np.float32)
    lists = {
        tuple(ExactIndex(vectors, seed=seed, scores_at_once=7).search(vectors[:1], 5).item_rows[0].tolist())
        for seed in range(4)
    }
    assert len(lists) == 4
    assert (0, 1, 2, 3, 4) not in lists


def test_memory_stays_bounded() -> None:
    vectors = np.random.default_rng(0).normal(size=(200_000, 4)).astype(np.float32)
    index = ExactIndex(vectors, scores_at_once=100_000)
    tracemalloc.start()
    index.search(vectors[:64], 10)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All scores at once would be 64 * 200,000 * 4 bytes = 51 MB.
    assert peak_bytes < 5_000_000


def test_many_queries_are_answered_in_blocks() -> None:
    vectors = np.eye(8, dtype=np.float32)
    found = ExactIndex(vectors).search(np.tile(vectors, (100, 1)), 1)
    assert found.item_rows[:, 0].tolist() == list(range(8)) * 100


def test_wrong_vectors_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"shape \(3,\)"):
        ExactIndex(np.zeros(3, np.float32))
    with pytest.raises(ConfigError, match="scores_at_once is 0"):
        ExactIndex(np.eye(3, dtype=np.float32), scores_at_once=0)
