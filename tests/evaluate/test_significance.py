from __future__ import annotations

import math

import numpy as np
import pytest

from trifocal.errors import DataError
from trifocal.evaluate.significance import interval, paired_differences, resampled_means


def test_resampled_means_are_means_of_users_drawn_with_replacement() -> None:
    # Two users, 0 and 1: a resample has mean 0, 1/2 or 1 with chances 1/4, 1/2, 1/4.
    means = resampled_means(np.array([[0.0], [1.0]]), samples=8000, seed=1)[:, 0]
    shares = [float((means == value).mean()) for value in (0, 0.5, 1)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_the_interval_is_that_of_the_normal_law_for_many_users() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 1600)
    found = interval(values, resampled_means(values[:, None], samples=3000)[:, 0])
    assert found.mean == pytest.approx(values.mean())
    # 1.96 * 2 / sqrt(1600) = 0.098.
    assert (found.high - found.low) / 2 == pytest.approx(0.098, rel=0.1)


def test_differences_are_paired() -> None:
    base = np.random.default_rng(0).uniform(0, 1, 400)
    # Each user gains exactly 0.01: paired, there is no doubt at all.
    values = np.stack([base + 0.01, base, np.zeros(400)], axis=1)
    better, ratio_free = paired_differences(values, resampled_means(values, samples=500))
    assert (better.mean, better.low, better.high) == pytest.approx((0.01, 0.01, 0.01))
    assert better.clear
    assert better.relative == pytest.approx(0.01 / base.mean())
    assert math.isnan(ratio_free.relative)


def test_equal_models_are_not_told_apart() -> None:
    drawn = np.random.default_rng(0).uniform(0, 1, (300, 2))
    (found,) = paired_differences(drawn, resampled_means(drawn, samples=500))
    assert found.low < 0 < found.high
    assert not found.clear


def test_the_seed_decides_and_blocks_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).uniform(0, 1, (50, 3))
    assert (resampled_means(values, seed=5) == resampled_means(values, seed=5)).all()
    assert (resampled_means(values, seed=5) != resampled_means(values, seed=6)).any()
    whole = resampled_means(values, samples=100, seed=5)
    monkeypatch.setattr("trifocal.evaluate.significance._CELLS", 50 * 7)
    np.testing.assert_allclose(resampled_means(values, samples=100, seed=5), whole)


def test_no_user_is_refused() -> None:
    with pytest.raises(DataError, match="over 0 users"):
        resampled_means(np.zeros((0, 2)))
