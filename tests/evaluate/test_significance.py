from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.errors import DataError
from trifocal.evaluate.significance import bootstrap_p, holm, interval, paired_differences, resampled_means


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
    assert found.p > 0.05


def test_p_counts_the_resamples_on_the_other_side_of_0_twice() -> None:
    # 3 of 100 are not above 0; a mirror image has the same p.
    gaps = np.concatenate([np.full(97, 0.2), np.zeros(1), np.full(2, -0.1)])
    assert bootstrap_p(gaps) == pytest.approx(0.06)
    assert bootstrap_p(-gaps) == pytest.approx(0.06)
    assert bootstrap_p(np.full(500, 0.3)) == 1 / 500
    assert bootstrap_p(np.zeros(500)) == 1


def test_p_is_that_of_the_normal_law_for_many_users() -> None:
    # Mean 0.1 with standard error 2 / sqrt(1600) = 0.05: two standard errors, p = .0455.
    values = np.random.default_rng(0).normal(0, 2, 1600)
    pairs = np.stack([values - values.mean() + 0.1, np.zeros(1600)], axis=1)
    (found,) = paired_differences(pairs, resampled_means(pairs, samples=8000))
    assert found.p == pytest.approx(0.0455, abs=0.01)
    assert found.corrected == found.p


def test_differences_are_corrected_over_the_other_models() -> None:
    base = np.random.default_rng(0).uniform(0, 1, 200)
    values = np.stack([base + 0.01, base, base, base], axis=1)
    found = paired_differences(values, resampled_means(values, samples=100))
    # The least p that 100 resamples can show, three times over: clear in each pair, significant together.
    assert [gap.p for gap in found] == [0.01] * 3
    assert [gap.corrected for gap in found] == pytest.approx([0.03] * 3)
    assert all(gap.clear and gap.significant for gap in found)
    many = np.stack([base + 0.01, *[base] * 6], axis=1)
    weaker = paired_differences(many, resampled_means(many, samples=100))
    assert weaker[0].corrected == pytest.approx(0.06)
    assert weaker[0].clear
    assert not weaker[0].significant


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_raises_keeps_the_order_and_stays_a_chance(p: list[float]) -> None:
    found = holm(p)
    assert all(raw <= corrected <= 1 for raw, corrected in zip(p, found, strict=True))
    in_order = sorted(zip(p, found, strict=True))
    assert [corrected for _, corrected in in_order] == sorted(found)
    # Bonferroni is never the smaller one.
    assert all(corrected <= min(1, len(p) * raw) + 1e-12 for raw, corrected in zip(p, found, strict=True))


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
