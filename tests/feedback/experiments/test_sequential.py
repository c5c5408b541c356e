"""The always-valid test: figures by hand, agreement of p and interval, and false stops under constant peeking."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from trifocal.errors import ConfigError
from trifocal.feedback.experiments.estimates import MeanEstimate, ratio_estimate
from trifocal.feedback.experiments.sequential import (
    LEAST_SHOPPERS,
    SequentialPlan,
    SequentialTest,
    boundary,
    compare,
    lower_boundary,
    mixture_p,
)

PLAN = SequentialPlan(1000)
_progress = st.floats(0.01, 100.0)
_alphas = st.floats(0.001, 0.5)


def _estimate(mean: float, error: float = 0.01, shoppers: int = 500) -> MeanEstimate:
    return MeanEstimate(mean, error, shoppers)


def test_a_look_by_hand() -> None:
    # scale = 5.9915 + log(6.9915) = 7.9362 = r at 1,000 shoppers; reach = sqrt(8.9362 / 7.9362 * (5.9915 + 2.1901)).
    found = compare(_estimate(0.10, 0.003), _estimate(0.12, 0.004), PLAN)
    assert found.standard_error == pytest.approx(0.005)
    assert found.mean == pytest.approx(0.02)
    assert found.lift == pytest.approx(0.2)
    assert (found.high - found.mean) / 0.005 == pytest.approx(3.0352, abs=1e-3)
    # sqrt(8.9362) * exp(-16 / 2 * 7.9362 / 8.9362) = 2.9893 * exp(-7.1048)
    assert found.p == pytest.approx(0.002455, rel=1e-3)


@given(_progress, _alphas)
@settings(max_examples=60)
def test_p_is_alpha_where_the_interval_touches_zero(r: float, alpha: float) -> None:
    assert mixture_p(boundary(r, alpha), r) == pytest.approx(alpha, rel=1e-6)


@given(_progress, _alphas)
@settings(max_examples=60)
def test_one_sided_is_tighter_than_two_sided_and_wider_than_a_single_look(r: float, alpha: float) -> None:
    assert norm.isf(alpha) < lower_boundary(r, alpha) < boundary(r, alpha / 2)


def test_the_interval_is_about_the_tightest_at_the_planned_shoppers() -> None:
    planned = (100, 500, 900, 1000, 1100, 2000, 9000)
    reaches = {n: boundary(SequentialPlan(n).progress(1000), 0.05) for n in planned}
    assert reaches[1000] <= 1.001 * min(reaches.values())
    assert reaches[1000] < 0.95 * min(reaches[100], reaches[9000])


def test_the_least_p_is_kept() -> None:
    test = SequentialTest(PLAN)
    clear = test.look(_estimate(0.10), _estimate(0.20))
    later = test.look(_estimate(0.10), _estimate(0.10))
    assert test.stopped
    assert later.p == clear.p < 0.05
    assert later.low < 0 < later.high


@pytest.mark.parametrize(
    ("control", "candidate"),
    [
        (_estimate(0.1, shoppers=LEAST_SHOPPERS - 1), _estimate(0.9)),
        (_estimate(0.1, 0.0), _estimate(0.9, 0.0)),
        (_estimate(math.nan, math.inf), _estimate(0.9)),
    ],
)
def test_where_too_little_is_known_nothing_is_said(control: MeanEstimate, candidate: MeanEstimate) -> None:
    found = compare(control, candidate, PLAN)
    assert (found.p, found.low, found.high) == (1.0, -math.inf, math.inf)


def test_peeking_after_every_shopper_stops_few_equal_variants_and_a_plain_test_most() -> None:
    rng = np.random.default_rng(11)
    walks, shoppers = 400, 2000
    steps = rng.standard_normal((walks, shoppers)).cumsum(axis=1)
    count = np.arange(1, shoppers + 1)
    z = np.abs(steps) / np.sqrt(count)
    reach = np.array([boundary(SequentialPlan(500).progress(int(n)), 0.05) for n in count])
    assert (z > reach)[:, 20:].any(axis=1).mean() <= 0.05
    assert (z > 1.96)[:, 20:].any(axis=1).mean() > 0.3


def test_shoppers_who_come_again_and_again_stop_no_more_tests() -> None:
    """What one shopper does is alike, so that the walk between two looks is smoother than it may be."""
    stopped = [_returning_shoppers(seed) for seed in range(100)]
    assert np.mean(stopped) <= 0.05


def _returning_shoppers(seed: int, shoppers: int = 600) -> bool:
    rng = np.random.default_rng(seed)
    treated, taste, first = rng.random(shoppers) < 0.5, rng.beta(0.5, 2, shoppers), rng.random(shoppers)
    visitor = np.repeat(np.arange(shoppers), 1 + rng.geometric(0.25, shoppers))
    is_first = np.diff(visitor, prepend=-1) > 0
    at = first[visitor] + (1 - first[visitor]) * np.where(is_first, 0, rng.random(len(visitor)))
    clicks = rng.binomial(8, taste[visitor])
    test = SequentialTest(SequentialPlan(300))
    for moment in np.linspace(0.1, 1, 10):
        seen, here = at <= moment, first <= moment
        top = np.bincount(visitor[seen], weights=clicks[seen], minlength=shoppers)
        bottom = 8.0 * np.bincount(visitor[seen], minlength=shoppers)
        control, candidate = (ratio_estimate(top[here & arm], bottom[here & arm]) for arm in (~treated, treated))
        test.look(control, candidate)
    return test.stopped


@pytest.mark.parametrize(("shoppers", "alpha", "message"), [(0, 0.05, "0 planned"), (10, 1.0, "alpha 1 is outside")])
def test_a_plan_that_promises_nothing_is_refused(shoppers: int, alpha: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SequentialPlan(shoppers, alpha)
