"""Our metrics and those of ir-measures on the same lists."""

from __future__ import annotations

import numpy as np
from benchmarks.peers.score import TOLERANCE, agreements
from hypothesis import given, settings
from hypothesis import strategies as st


def test_a_user_without_a_list_counts_as_zero_on_both_sides() -> None:
    """u has the first hit at place 2, w has no list: the mean reciprocal rank is (1/2 + 0) / 2."""
    found = agreements(np.array([[7, 5, -1], [-1, -1, -1]]), [np.array([4, 5]), np.array([1])], ["u", "w"])
    assert [(one.metric, one.ours, one.theirs) for one in found] == [("mrr", 0.25, 0.25)]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_both_agree_on_any_lists(seed: int) -> None:
    random = np.random.default_rng(seed)
    lists = np.stack([random.permutation(80)[:50] for _ in range(6)])
    lists[0, random.integers(50) :] = -1
    truths = [random.choice(80, random.integers(1, 40)) for _ in range(6)]
    found = agreements(lists, truths, [f"u{row}" for row in range(6)])
    assert len(found) == 7
    assert max(one.difference for one in found) <= TOLERANCE
