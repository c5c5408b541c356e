from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trifocal.evaluate.metrics import (
    METRICS,
    average_precision,
    coverage,
    hit_matrix,
    ndcg,
    recall,
    reciprocal_rank,
    user_metrics,
)
from trifocal.ranking import top_k
from trifocal.types import IntArray

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


def brute_force(rows: list[int], truth: set[int], name: str, k: int) -> float:
    """The definitions, one user and one place at a time."""
    if not truth:
        return 0.0
    hits = [row in truth for row in rows[:k]]
    if name.startswith("recall"):
        return sum(hits) / len(truth)
    if name.startswith("ndcg"):
        gain = sum(1 / math.log2(place + 1) for place, hit in enumerate(hits, 1) if hit)
        return gain / sum(1 / math.log2(place + 1) for place in range(1, min(k, len(truth)) + 1))
    if name.startswith("map"):
        total = sum(sum(hits[:place]) / place for place, hit in enumerate(hits, 1) if hit)
        return total / min(k, len(truth))
    return next((1 / place for place, hit in enumerate(hits, 1) if hit), 0.0)


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(
                st.tuples(
                    # Few different scores: many ties. Truths may be empty; items may be excluded: short lists.
                    st.lists(st.integers(0, 3), min_size=n, max_size=n),
                    st.sets(st.integers(0, n - 1)),
                    st.sets(st.integers(0, n - 1)),
                ),
                min_size=1,
                max_size=5,
            ),
        )
    )
)
def test_metrics_are_their_brute_force_twin(drawn: tuple[int, list[tuple[list[int], set[int], set[int]]]]) -> None:
    _, users = drawn
    scores = np.array([scores for scores, _, _ in users], dtype=np.float32)
    exclude = [np.array(sorted(left_out), dtype=np.int64) for _, _, left_out in users]
    item_rows = top_k(scores, 50, exclude=exclude).item_rows
    truths: list[IntArray] = [np.array(sorted(truth), dtype=np.int64) for _, truth, _ in users]
    found = user_metrics(item_rows, truths)
    assert set(found) == set(METRICS)
    for name, (_, k) in METRICS.items():
        wanted = [
            brute_force([int(row) for row in rows], truth, name, k or 50)
            for rows, (_, truth, _) in zip(item_rows, users, strict=True)
        ]
        np.testing.assert_allclose(found[name], wanted, atol=1e-12, err_msg=name)
