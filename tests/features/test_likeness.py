from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from trifocal.features.likeness import likeness_kernel, linear_links


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
