from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from trifocal.features.likeness import likeness_kernel
from trifocal.model.memory import fit_memory
from trifocal.types import FloatArray


def matrix() -> csr_matrix:
    """Ten users took items 0 and 1, ten others items 2 and 3; nobody took item 4."""
    rows = np.zeros((20, 5), dtype=np.float32)
    rows[:10, :2] = rows[10:, 2:4] = 1
    return csr_matrix(rows)


def scores(history: list[int], contents: list[FloatArray] | None = None, **changes: float) -> FloatArray:
    settings = {"regularization": 1.0, "content_weight": 1.0, "items": 5, "links": 4, **changes}
    return fit_memory(matrix(), contents or [], **settings).scores([np.array(history)])[0]  # type: ignore[arg-type,no-any-return]


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
    linked = scores([2], [looks], content_weight=5.0)
    assert linked[4] > 0.1
    assert linked[4] > max(linked[0], linked[1])


def test_items_that_are_not_covered_have_no_links() -> None:
    assert np.abs(scores([0, 1], items=2)[2:]).max() == 0
    assert np.abs(scores([2], items=2)).max() == 0


def test_only_the_strongest_links_are_kept() -> None:
    looks = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    full, cut = scores([0], [looks]), scores([0], [looks], links=1)
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
