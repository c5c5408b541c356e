"""Tests and intervals that hold at every moment: they may be looked at after each shopper, and stopped at any time.

Asymptotic confidence sequences: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences", Annals of Statistics 2024 (arXiv 2103.06476). The p is the mixture sequential
probability ratio test of Johari, Koomen, Pekelis and Walsh, "Always valid inference", Operations Research 2022, with
the same normal mixture. The variance is estimated, so that both need some shoppers first: `LEAST_SHOPPERS`.

r, here and below, is shoppers so far over the shoppers where the mixture has weight one: how far the test has come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from trifocal.errors import ConfigError
from trifocal.feedback.experiments.estimates import MeanEstimate

__all__ = [
    "LEAST_SHOPPERS",
    "Difference",
    "SequentialPlan",
    "SequentialTest",
    "boundary",
    "compare",
    "lower_boundary",
    "mixture_p",
]

# Below it the normal law of a mean of clicks is no good: of a variant, before anything may stop.
LEAST_SHOPPERS = 50


@dataclass(frozen=True)
class SequentialPlan:
    """What is settled before the first shopper; changing it later breaks the promise. Stability: full.

    Attributes:
        shoppers: of both variants together, about where a verdict is hoped for; the intervals are tightest there.
        alpha: chance, 0..1, that a test of two equal variants ever stops.

    Raises:
        ConfigError: when a value is out of its range.
    """

    shoppers: int
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.shoppers < 1:
            raise ConfigError(f"{self.shoppers} planned shoppers, must be 1 or more; `experiment plan` says how many")
        if not 0 < self.alpha < 1:
            raise ConfigError(f"alpha {self.alpha:g} is outside 0..1; 0.05 is usual")

    @property
    def scale(self) -> float:
        """r at the planned shoppers: the interval is about the tightest there (arXiv 2103.06476, on tuning).

        >>> round(SequentialPlan(1000, alpha=math.exp(-0.5)).scale, 4)  # 1 + log(1 + 1)
        1.6931
        """
        wanted = -2 * math.log(self.alpha)
        return wanted + math.log(wanted + 1)

    def progress(self, shoppers: int) -> float:
        """Return r after `shoppers`."""
        return self.scale * shoppers / self.shoppers


def boundary(r: float, alpha: float) -> float:
    """Return how many standard errors a two-sided interval reaches to each side.

        sqrt((1 + r) / r * (2 log(1 / alpha) + log(1 + r)))

    >>> round(boundary(1.0, 0.05), 3)  # sqrt(2 * (2 * 2.9957 + 0.6931))
    3.656
    """
    return math.sqrt((1 + r) / r * (2 * math.log(1 / alpha) + math.log(1 + r))) if r > 0 else math.inf


def lower_boundary(r: float, alpha: float) -> float:
    """Return how many standard errors a one-sided bound lies away from the mean.

        sqrt(2 (1 + r) / r * log(1 + sqrt(1 + r) / (2 alpha)))

    The one-sided normal mixture of Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
    confidence sequences", Annals of Statistics 2021, in its closed form.

    >>> round(lower_boundary(3.0, 0.05), 3)  # sqrt(2 * 4 / 3 * log(21))
    2.849
    """
    return math.sqrt(2 * (1 + r) / r * math.log1p(math.sqrt(1 + r) / (2 * alpha))) if r > 0 else math.inf


def mixture_p(z: float, r: float) -> float:
    """Return the p of a difference of `z` standard errors, in 0..1.

        sqrt(1 + r) * exp(-z^2 r / (2 (1 + r))), at most 1

    It is alpha where the interval of that level touches 0:

    >>> round(mixture_p(boundary(1.0, 0.05), 1.0), 6)
    0.05
    """
    return min(1.0, math.exp(0.5 * math.log1p(r) - z * z * r / (2 * (1 + r))))


@dataclass(frozen=True)
class Difference:
    """Candidate minus control at one look. Stability: caller.

    Attributes:
        mean: in the metric's own unit.
        low: end of the interval that holds at all looks at once, level 1 - alpha.
        high: the other end.
        standard_error: of the difference.
        p: always valid; of a `SequentialTest` the least so far.
        control: what the control reached.
        candidate: what the candidate reached.
    """

    mean: float
    low: float
    high: float
    standard_error: float
    p: float
    control: MeanEstimate
    candidate: MeanEstimate

    @property
    def shoppers(self) -> int:
        """Of both variants."""
        return self.control.shoppers + self.candidate.shoppers

    @property
    def lift(self) -> float:
        """The difference over the control's mean; nan where that is 0."""
        return self.mean / self.control.mean if self.control.mean else math.nan


def compare(control: MeanEstimate, candidate: MeanEstimate, plan: SequentialPlan) -> Difference:
    """Return the difference of two variants at this look; an endless interval and p = 1 while too little is known."""
    mean = candidate.mean - control.mean
    error = math.hypot(control.standard_error, candidate.standard_error)
    enough = min(control.shoppers, candidate.shoppers) >= LEAST_SHOPPERS and 0 < error < math.inf
    if not enough:
        return Difference(mean, -math.inf, math.inf, error, 1.0, control, candidate)
    r = plan.progress(control.shoppers + candidate.shoppers)
    reach = boundary(r, plan.alpha) * error
    return Difference(mean, mean - reach, mean + reach, error, mixture_p(mean / error, r), control, candidate)


@dataclass
class SequentialTest:
    """A test of two variants, look after look; remembers the least p. Stability: caller."""

    plan: SequentialPlan
    least_p: float = field(default=1.0, init=False)

    def look(self, control: MeanEstimate, candidate: MeanEstimate) -> Difference:
        """Return the difference now, its p the least of all looks."""
        now = compare(control, candidate, self.plan)
        self.least_p = min(self.least_p, now.p)
        return Difference(now.mean, now.low, now.high, now.standard_error, self.least_p, control, candidate)

    @property
    def stopped(self) -> bool:
        """Whether it may stop: the variants differ."""
        return self.least_p <= self.plan.alpha
