from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trifocal.explain.integrated import integrated_gradients


def test_of_a_linear_score_each_gate_adds_its_weight() -> None:
    weights = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])

    def scores(gates: Tensor) -> Tensor:
        return (gates * weights.repeat(len(gates) // 2, 1)).sum(dim=1) + 7

    found = integrated_gradients(scores, 2, 3, steps=2)
    np.testing.assert_allclose(found.gates, weights.numpy(), rtol=1e-6)
    assert found.scores.tolist() == [6.5, 9.0]
    assert found.neutral.tolist() == [7.0, 7.0]


def test_a_product_is_shared_and_a_power_is_exact() -> None:
    # F = a b + c^3: the product is shared by halves; a rule of n points is exact up to the power 2 n - 1.
    found = integrated_gradients(lambda gates: gates[:, 0] * gates[:, 1] + gates[:, 2] ** 3, 1, 3, steps=2)
    np.testing.assert_allclose(found.gates, [[0.5, 0.5, 1.0]], rtol=1e-5)
    assert found.completeness_errors.max() < 1e-5


def test_what_the_rule_misses_is_said() -> None:
    # Two points of Gauss and Legendre give 7 (x1^6 + x2^6) / 2 = 7 * 22 / 216 * ... of the integral 1 of 7 x^6.
    points = 0.5 + np.array([-1, 1]) / (2 * np.sqrt(3))
    found = integrated_gradients(lambda gates: gates[:, 0] ** 7, 1, 1, steps=2)
    np.testing.assert_allclose(found.completeness_errors, [1 - (7 * points**6).mean()], rtol=1e-4)


def test_within_inference_mode_as_well() -> None:
    with torch.inference_mode():
        found = integrated_gradients(lambda gates: gates.sum(dim=1), 1, 2, steps=3)
    np.testing.assert_allclose(found.gates, [[1.0, 1.0]], rtol=1e-6)
