from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from trifocal.features.likeness import likeness_kernel
from trifocal.model.memory import Precision, fit_precision
from trifocal.types import FloatArray, IntArray

Contents = Sequence[tuple[FloatArray, float]]


def matrix() -> csr_matrix:
    """Ten users took items 0 and 1, ten others items 2 and 3; nobody took item 4."""
    rows = np.zeros((20, 5), dtype=np.float32)
    rows[:10, :2] = rows[10:, 2:4] = 1
    return csr_matrix(rows)


def scores(history: list[int], contents: Contents = (), items: int = 5, links: int = 4) -> FloatArray:
    found: FloatArray = (
        fit_precision(matrix(), contents, regularization=1.0, items=items)
        .memory(links)
        .scores([np.array(history, dtype=np.int64)])[0]
    )
    return found


def test_links_by_hand() -> None:
    # G = [[11, 10], [10, 11]] for items 0 and 1; its inverse has diagonal 11/21 and -10/21 beside: B = 10/11.
    found = scores([0])
    np.testing.assert_allclose(found, [0, 10 / 11, 0, 0, 0], atol=1e-6)


def test_a_repeated_item_counts_once_and_no_history_says_nothing() -> None:
    np.testing.assert_allclose(scores([0, 0]), scores([0]))
    assert np.abs(scores([])).max() == 0


def test_an_item_nobody_took_is_linked_by_likeness() -> None:
    looks = np.eye(5, dtype=np.float32)
    looks[4] = looks[2]
    assert scores([2])[4] == 0
    linked = scores([2], [(looks, 5.0)])
    assert linked[4] > 0.1
    assert linked[4] > max(linked[0], linked[1])


def test_each_modality_has_its_own_weight() -> None:
    words, looks = np.eye(5, dtype=np.float32), np.eye(5, dtype=np.float32)
    words[4], looks[4] = words[0], looks[2]
    by_words, by_looks = (scores([0, 2], [(words, a), (looks, b)]) for a, b in ((5.0, 0.0), (0.0, 5.0)))
    np.testing.assert_allclose(by_words, scores([0, 2], [(words, 5.0)]))
    np.testing.assert_allclose(by_looks, scores([0, 2], [(looks, 5.0)]))


def test_items_that_are_not_covered_have_no_links() -> None:
    assert np.abs(scores([0, 1], items=2)[2:]).max() == 0
    assert np.abs(scores([2], items=2)).max() == 0


def test_only_the_strongest_links_are_kept() -> None:
    looks = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    full, cut = scores([0], [(looks, 1.0)]), scores([0], [(looks, 1.0)], links=1)
    assert np.flatnonzero(cut).tolist() == [int(np.abs(full).argmax())]


@pytest.mark.parametrize("absent", [[], [1, 3]])
def test_the_kernel_is_even_and_blind_to_missing_rows(absent: list[int]) -> None:
    features = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
    features[absent] = 0
    kernel = likeness_kernel(features)
    np.testing.assert_allclose(kernel, kernel.T)
    assert kernel.min() >= 0
    assert np.abs(kernel[absent]).sum() == 0
    assert np.abs(np.diag(kernel)).max() == 0


def refitted(taken: FloatArray, user: int, kept: IntArray, contents: Contents, rows: IntArray) -> FloatArray:
    """(N, N) links -P_ij / P_jj, solved anew in double precision with the user's row replaced by `kept`."""
    changed = taken.astype(np.float64)
    changed[user] = 0
    changed[user, kept] = 1
    gram = changed[:, rows].T @ changed[:, rows] + 2.0 * np.eye(len(rows))
    for features, weight in contents:
        gram += weight * likeness_kernel(features[rows])
    inverse = np.linalg.inv(gram)
    links = np.zeros((taken.shape[1], taken.shape[1]))
    links[np.ix_(rows, rows)] = -inverse / np.diag(inverse)
    found: FloatArray = links.astype(np.float32)
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_forgetting_a_user_is_solving_anew_without_them(seed: int, part: bool, with_content: bool) -> None:
    generator = np.random.default_rng(seed)
    taken = (generator.random((30, 12)) < 0.3).astype(np.float32)
    taken[0, generator.choice(12, 5, replace=False)] = 1
    whole = np.flatnonzero(taken[0])
    kept = np.sort(generator.choice(whole, int(generator.integers(0, len(whole) + 1)), replace=False))
    asked = kept[: len(kept) // 2] if part else kept
    contents: Contents = [(generator.normal(size=(12, 4)).astype(np.float32), 0.2)] if with_content else []
    # Nine of twelve are covered, so that of `taken`, `kept` and `asked` some are not.
    precision = fit_precision(csr_matrix(taken), contents, regularization=2.0, items=9)
    assert len(precision.rows) == 9
    expected = refitted(taken, 0, kept, contents, precision.rows)[asked].sum(axis=0)
    expected[asked] = 0
    np.testing.assert_allclose(precision.scores_without(whole, kept, asked), expected, rtol=1e-4, atol=1e-5)


def test_who_forgets_nothing_reads_the_memory_itself() -> None:
    precision: Precision = fit_precision(matrix(), [], regularization=1.0, items=5)
    kept = np.array([0, 1])
    found = precision.scores_without(kept, kept, kept[:1])
    expected = precision.memory(4).scores([kept[:1]])[0]
    np.testing.assert_allclose(found[1:], expected[1:], atol=1e-6)


def test_a_stranger_is_told_nothing_by_a_memory_that_forgot_all() -> None:
    precision = fit_precision(matrix(), [], regularization=1.0, items=5)
    nothing = np.zeros(0, dtype=np.int64)
    assert np.abs(precision.scores_without(np.array([0, 1]), nothing, nothing)).max() == 0
