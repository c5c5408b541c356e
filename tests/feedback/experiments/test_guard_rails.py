"""Guard rails: a clear loss stops by itself, a tolerated one does not, in both directions."""

from __future__ import annotations

import math
from typing import Literal

import pytest

from trifocal.errors import ConfigError
from trifocal.feedback.experiments.estimates import MeanEstimate
from trifocal.feedback.experiments.guard_rails import GuardRail, check_rail
from trifocal.feedback.experiments.sequential import SequentialPlan, lower_boundary

PLAN = SequentialPlan(1000)


def _estimate(mean: float, error: float = 0.003, shoppers: int = 500) -> MeanEstimate:
    return MeanEstimate(mean, error, shoppers)


@pytest.mark.parametrize(
    ("better", "candidate", "tolerated", "stop"),
    [
        ("more", 0.05, 0.0, True),
        ("more", 0.05, 0.6, False),
        ("more", 0.15, 0.0, False),
        ("less", 0.15, 0.0, True),
        ("less", 0.15, 0.6, False),
        ("less", 0.05, 0.0, False),
        ("more", 0.10, 0.0, False),
    ],
)
def test_only_a_certain_loss_stops(
    better: Literal["more", "less"], candidate: float, tolerated: float, stop: bool
) -> None:
    found = check_rail(GuardRail("ctr", tolerated, better), _estimate(0.10), _estimate(candidate), PLAN)
    assert found.stop is stop


def test_the_bound_by_hand() -> None:
    # 0.9 * 0.004 = 0.0036 and 0.0048 give 0.006; loss 0.05, limit 0.01.
    rail = GuardRail("ctr", tolerated=0.1)
    found = check_rail(rail, _estimate(0.10, 0.004), _estimate(0.05, 0.0048), PLAN)
    r = 2 * math.log(100) + math.log(2 * math.log(100) + 1)
    assert found.loss == pytest.approx(0.05)
    assert found.limit == pytest.approx(0.01)
    assert found.least_loss == pytest.approx(0.05 - 0.006 * lower_boundary(r, 0.01))


def test_few_shoppers_stop_nothing() -> None:
    assert not check_rail(GuardRail("ctr"), _estimate(0.5, shoppers=10), _estimate(0.0, shoppers=10), PLAN).stop


@pytest.mark.parametrize(
    ("tolerated", "alpha", "message"), [(1.0, 0.01, "tolerated 1 is outside"), (0.0, 0.0, "alpha 0 is outside")]
)
def test_a_rail_that_guards_nothing_is_refused(tolerated: float, alpha: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GuardRail("ctr", tolerated, alpha=alpha)
