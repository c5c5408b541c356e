from __future__ import annotations

import math

import numpy as np
import pytest

from trifocal.errors import DataError
from trifocal.evaluate.metrics import (
    METRICS,
    average_precision,
    coverage,
    gini,
    hit_matrix,
    list_novelty,
    ndcg,
    novelty,
    recall,
    reciprocal_rank,
    user_metrics,
)

# Places 1 and 3 hit, three relevant, one of them not in the list.
LISTS = np.array([[7, 1, 4, 9]])
TRUTHS = [np.array([4, 7, 100])]
HITS, RELEVANT = hit_matrix(LISTS, TRUTHS)


def test_hits_by_hand() -> None:
    assert HITS.tolist() == [[True, False, True, False]]
    assert RELEVANT.tolist() == [3]


def test_hits_never_mix_users_or_count_the_filler() -> None:
    hits, relevant = hit_matrix(np.array([[0, -1], [1, -1], [5, 0]]), [np.array([1]), np.array([1, 1]), np.array([])])
    assert hits.tolist() == [[False, False], [True, False], [False, False]]
    assert relevant.tolist() == [1, 1, 0]


@pytest.mark.parametrize(("k", "wanted"), [(1, 1 / 3), (2, 1 / 3), (3, 2 / 3), (50, 2 / 3)])
def test_recall_by_hand(k: int, wanted: float) -> None:
    assert recall(HITS, RELEVANT, k).tolist() == [pytest.approx(wanted)]


def test_ndcg_by_hand() -> None:
    # Gain 1 + 1/2; the best list 1 + 0.63093 + 0.5.
    assert ndcg(HITS, RELEVANT, 4)[0] == pytest.approx(1.5 / 2.13093, abs=1e-5)
    # At k = 2 the best list has two hits: 1 / 1.63093.
    assert ndcg(HITS, RELEVANT, 2)[0] == pytest.approx(1 / 1.63093, abs=1e-5)


def test_ndcg_of_a_list_shorter_than_k_is_measured_against_k() -> None:
    hits, relevant = hit_matrix(np.array([[3]]), [np.array([3, 4])])
    assert ndcg(hits, relevant, 10)[0] == pytest.approx(1 / 1.63093, abs=1e-5)


def test_average_precision_by_hand() -> None:
    # (1/1 + 2/3) / min(4, 3); at k = 2: (1/1) / min(2, 3).
    assert average_precision(HITS, RELEVANT, 4)[0] == pytest.approx(5 / 9)
    assert average_precision(HITS, RELEVANT, 2)[0] == pytest.approx(1 / 2)


def test_reciprocal_rank_by_hand() -> None:
    hits, relevant = hit_matrix(np.array([[5, 6, 7], [5, 6, 7]]), [np.array([7]), np.array([8])])
    assert reciprocal_rank(hits, relevant, 3).tolist() == [pytest.approx(1 / 3), 0]
    assert reciprocal_rank(hits, relevant, 2).tolist() == [0, 0]


def test_coverage_by_hand() -> None:
    assert coverage(np.array([[0, 3], [3, -1]]), 8) == 0.25


def test_only_metrics_that_the_lists_allow() -> None:
    names = set(user_metrics(np.zeros((1, 20), np.int64), [np.array([0])]))
    assert names == {"recall@10", "recall@20", "ndcg@10", "ndcg@20", "map@20", "mrr"}


def test_the_metrics_of_the_protocol_are_there() -> None:
    assert list(METRICS) == ["recall@10", "recall@20", "recall@50", "ndcg@10", "ndcg@20", "map@20", "mrr"]


def test_gini_by_hand() -> None:
    # Shown 0, 1, 1 and 2 times: (-3 * 0 - 1 * 1 + 1 * 1 + 3 * 2) / (3 * 4).
    assert gini(np.array([[0, 1], [0, 3]]), 4) == pytest.approx(6 / 12)


@pytest.mark.parametrize(
    ("lists", "candidates", "wanted"),
    [([[0, 1], [2, 3]], 4, 0.0), ([[2], [2], [2]], 100, 1.0), ([[0, -1]], 1, 0.0), ([[5, 900]], 4, 2 / 3)],
    ids=["all alike", "one has all", "one candidate", "rows above the number of candidates"],
)
def test_gini_at_its_ends(lists: list[list[int]], candidates: int, wanted: float) -> None:
    assert gini(np.array(lists), candidates) == pytest.approx(wanted)


def test_gini_of_nothing_is_not_a_number() -> None:
    assert math.isnan(gini(np.array([[-1, -1]]), 4))
    assert math.isnan(gini(np.zeros((0, 5), np.int64), 0))


def test_gini_refuses_more_items_than_candidates() -> None:
    with pytest.raises(DataError, match="3 items of 2 candidates"):
        gini(np.array([[0, 1, 2]]), 2)


def test_novelty_by_hand() -> None:
    counts = np.array([16, 4, 1, 0])
    lists = np.array([[0, 1], [2, 3], [1, -1], [-1, -1]])
    # Of 16 users: 0 bits, 2 bits, 4 bits; an item of nobody counts as one of a single user.
    assert list_novelty(lists, counts, 16)[:3].tolist() == [1.0, 4.0, 2.0]
    assert math.isnan(list_novelty(lists, counts, 16)[3])
    assert novelty(lists, counts, 16) == pytest.approx(7 / 3)


def test_novelty_of_nothing_is_not_a_number() -> None:
    assert math.isnan(novelty(np.zeros((0, 5), np.int64), np.array([1]), 3))


@pytest.mark.parametrize("users", [0, 3])
def test_novelty_refuses_fewer_users_than_an_item_has(users: int) -> None:
    with pytest.raises(DataError, match=f"{users} users, an item is counted 4 times"):
        novelty(np.array([[0]]), np.array([4]), users)
