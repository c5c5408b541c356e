"""CUPED: as much variance goes as the correlation says, the difference stays."""

from __future__ import annotations

import numpy as np
import pytest

from trifocal.feedback.experiments.cuped import adjusted, variance_left


def _outcomes(seed: int, shoppers: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    before = rng.standard_normal(shoppers)
    variant = rng.integers(2, size=shoppers)
    return 0.8 * before + 0.6 * rng.standard_normal(shoppers) + 0.1 * variant, before, variant


def test_the_variance_falls_by_the_squared_correlation() -> None:
    values, before, variant = _outcomes(1)
    assert variance_left(values, before, variant) == pytest.approx(1 - 0.8**2, abs=0.02)


def test_the_difference_is_found_more_exactly() -> None:
    errors = np.array(
        [
            [v[variant == 1].mean() - v[variant == 0].mean() - 0.1 for v in (values, adjusted(values, before, variant))]
            for values, before, variant in (_outcomes(seed, 400) for seed in range(200))
        ]
    )
    assert errors.mean(axis=0) == pytest.approx([0, 0], abs=0.02)
    assert errors[:, 1].std() / errors[:, 0].std() == pytest.approx(0.6, abs=0.1)


def test_shoppers_who_are_new_stay_as_they_are() -> None:
    values = np.array([1.0, 3.0, 7.0, 5.0])
    before = np.array([1.0, 3.0, np.nan, np.nan])
    found = adjusted(values, before, np.array([0, 0, 0, 0]))
    assert found[2:].tolist() == [7.0, 5.0]
    # centred -1, 1, 0, 0; slope = (-1 * (1 - 4) + 1 * (3 - 4)) / 2 = 1
    assert found[:2].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("before", [np.full(3, np.nan), np.ones(3)])
def test_a_covariate_that_says_nothing_changes_nothing(before: np.ndarray) -> None:
    values = np.array([1.0, 2.0, 4.0])
    assert adjusted(values, before, np.array([0, 1, 1])).tolist() == values.tolist()
