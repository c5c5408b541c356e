from __future__ import annotations

import numpy as np

from trifocal.index import ExactIndex, recall_at_k


def test_equal_items_stand_for_each_other() -> None:
    vectors = np.array([[2], [1], [1], [0]], np.float32)
    query = np.ones((1, 1), np.float32)
    truth = ExactIndex(vectors, seed=0).search(query, 2)
    others = [ExactIndex(vectors, seed=seed) for seed in range(6)]
    assert len({int(other.search(query, 2).item_rows[0, 1]) for other in others}) == 2
    assert [recall_at_k(other, vectors, query, truth) for other in others] == [1.0] * 6


def test_it_is_a_mean_over_queries() -> None:
    vectors = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    queries = np.eye(2, dtype=np.float32)
    truth = ExactIndex(vectors).search(queries, 1)
    blind = vectors.copy()
    blind[1] = -9
    # The index takes item 1 for far away: the first query is answered right, the second is not.
    assert recall_at_k(ExactIndex(blind), vectors, queries, truth) == 0.5
