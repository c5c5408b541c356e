"""Metrics that a variant must not hurt: a one-sided bound that holds at all looks, and a stop that needs nobody.

The rail is left as soon as the loss is for certain above what is tolerated; until then the variant goes on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from trifocal.errors import ConfigError
from trifocal.feedback.experiments.estimates import MeanEstimate
from trifocal.feedback.experiments.sequential import LEAST_SHOPPERS, SequentialPlan, lower_boundary

__all__ = ["GuardRail", "GuardVerdict", "check_rail"]


@dataclass(frozen=True)
class GuardRail:
    """One metric that is watched. Stability: full.

    Attributes:
        metric: its name.
        tolerated: share of the control's mean that may be lost, 0..1; 0 = any certain loss stops.
        better: whether more of it is better, or less (errors, latency).
        alpha: chance that a variant that loses just what is tolerated is ever stopped.

    Raises:
        ConfigError: when a value is out of its range.
    """

    metric: str
    tolerated: float = 0.0
    better: Literal["more", "less"] = "more"
    alpha: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.tolerated < 1:
            raise ConfigError(f"guard rail {self.metric!r}: tolerated {self.tolerated:g} is outside 0..1; give a share")
        if not 0 < self.alpha < 1:
            raise ConfigError(f"guard rail {self.metric!r}: alpha {self.alpha:g} is outside 0..1; 0.01 is usual")


@dataclass(frozen=True)
class GuardVerdict:
    """Where a variant stands at a rail. Stability: caller.

    Attributes:
        metric: name of the metric.
        loss: what was lost, in the metric's unit; negative = gained.
        least_loss: the loss is at least this, whatever the look; -inf while too little is known.
        limit: the loss that is tolerated, in the metric's unit.
        stop: whether the variant must go.
    """

    metric: str
    loss: float
    least_loss: float
    limit: float
    stop: bool


def check_rail(rail: GuardRail, control: MeanEstimate, candidate: MeanEstimate, plan: SequentialPlan) -> GuardVerdict:
    """Return whether `candidate` must be stopped; `plan` gives the shoppers, the rail its own alpha.

    What is tolerated grows with the control's mean, whose error counts likewise: the bound is for
    candidate - (1 - tolerated) * control (more is better).
    """
    sign = 1.0 if rail.better == "more" else -1.0
    kept = 1 - sign * rail.tolerated
    loss = sign * (control.mean - candidate.mean)
    limit = rail.tolerated * control.mean
    error = math.hypot(kept * control.standard_error, candidate.standard_error)
    if min(control.shoppers, candidate.shoppers) < LEAST_SHOPPERS or not 0 < error < math.inf:
        return GuardVerdict(rail.metric, loss, -math.inf, limit, stop=False)
    r = SequentialPlan(plan.shoppers, rail.alpha).progress(control.shoppers + candidate.shoppers)
    least = loss - lower_boundary(r, rail.alpha) * error
    return GuardVerdict(rail.metric, loss, least, limit, stop=least > limit)
