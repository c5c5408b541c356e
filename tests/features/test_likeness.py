from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from trifocal.features import likeness
from trifocal.features.likeness import likeness_kernel, linear_links, symmetric_inverse


def test_likeness_is_symmetric_within_0_and_1_and_blind_to_itself() -> None:
    features = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    features[4] = 0
    kernel = likeness_kernel(features)
    assert (kernel == kernel.T).all()
    assert kernel.min() >= 0
    assert kernel.max() <= 1 + 1e-12
    assert not kernel.diagonal().any()
    assert not kernel[4].any()


def test_a_content_kernel_links_what_nobody_took_together() -> None:
    matrix = csr_matrix(np.eye(3, dtype=np.float32))
    kernel = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=np.float64)
    assert not linear_links(matrix, regularization=1.0).any()
    links = linear_links(matrix, regularization=1.0, kernels=[kernel], content_weight=0.5)
    # [[2, .5], [.5, 2]] has the inverse [[2, -.5], [-.5, 2]] / 3.75: each link is .25.
    expected = np.array([[0, 0.25, 0], [0.25, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(links, expected, atol=1e-12)


@pytest.mark.parametrize("single_precision", [False, True])
def test_the_inverse_is_that_of_a_general_solver(monkeypatch: pytest.MonkeyPatch, single_precision: bool) -> None:
    monkeypatch.setattr(likeness, "_SINGLE_PRECISION", 10 if single_precision else 1000)
    draws = np.random.default_rng(0).standard_normal((60, 20))
    gram = draws @ draws.T + 100 * np.eye(60)
    expected = np.linalg.inv(gram)
    error = np.abs(symmetric_inverse(gram) - expected).max() / np.abs(expected).max()
    assert error < (1e-5 if single_precision else 1e-12)


def test_a_matrix_that_is_not_positive_definite_is_inverted_all_the_same() -> None:
    indefinite = np.array([[1.0, 2.0], [2.0, 1.0]])
    np.testing.assert_allclose(symmetric_inverse(indefinite) @ indefinite, np.eye(2), atol=1e-12)
