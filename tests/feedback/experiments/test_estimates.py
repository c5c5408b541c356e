"""Means and ratios per shopper against figures by hand, and against a bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.errors import DataError
from trifocal.feedback.experiments.estimates import linearised, mean_estimate, ratio_estimate

_counts = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=2, max_size=30)


@given(_counts)
@settings(max_examples=50)
def test_the_mean_of_the_linearised_values_is_the_ratio(pairs: list[tuple[int, int]]) -> None:
    top, bottom = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    assert linearised(top, bottom).mean() == pytest.approx(top.sum() / bottom.sum())


def test_equal_denominators_give_the_plain_mean() -> None:
    top = np.array([1.0, 0.0, 3.0])
    assert ratio_estimate(top, np.full(3, 2.0)) == mean_estimate(top / 2)


def test_the_error_of_a_ratio_is_that_of_a_bootstrap_over_shoppers() -> None:
    rng = np.random.default_rng(3)
    bottom = rng.integers(1, 20, 400).astype(np.float64)
    top = rng.binomial(bottom.astype(np.int64), rng.beta(2, 8, 400)).astype(np.float64)
    drawn = rng.integers(400, size=(4000, 400))
    spread = (top[drawn].sum(1) / bottom[drawn].sum(1)).std()
    assert ratio_estimate(top, bottom).standard_error == pytest.approx(spread, rel=0.06)


def test_too_few_shoppers_know_nothing() -> None:
    assert math.isinf(mean_estimate(np.array([1.0])).standard_error)
    assert math.isnan(mean_estimate(np.zeros(0)).mean)
    assert math.isnan(ratio_estimate(np.zeros(3), np.zeros(3)).mean)


def test_a_ratio_over_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="2 shoppers have a denominator of 0"):
        linearised(np.ones(2), np.zeros(2))
