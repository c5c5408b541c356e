"""How many shoppers a test needs, and how long that takes, before it is started.

The sequential test is planned for the chance that it has stopped at the planned shoppers; it may stop sooner, and the
price of being allowed to look is in the figure. The fixed test, which may be looked at once, stands beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import norm

from trifocal.errors import ConfigError
from trifocal.feedback.experiments.sequential import SequentialPlan, boundary

__all__ = ["Question", "SampleSize", "sample_size"]


@dataclass(frozen=True)
class Question:
    """What is to be found out. Stability: full.

    Attributes:
        mean: of the metric under the control.
        lift: relative change to be found, 0.05 = 5 % more or less.
        deviation: standard deviation of the metric between shoppers; None = a yes or no of chance `mean`.
        power: chance that a change of that size is found by then, 0..1.
        alpha: chance of a verdict where there is no change, 0..1.
        share: of the shoppers that see the candidate, 0..1.
        correlation: of the metric with the same before the experiment, -1..1, for CUPED.

    Raises:
        ConfigError: when a value is out of its range.
    """

    mean: float
    lift: float
    deviation: float | None = None
    power: float = 0.8
    alpha: float = 0.05
    share: float = 0.5
    correlation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("power", "alpha", "share"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} {getattr(self, name):g} must lie between 0 and 1; change it")
        if not -1 < self.correlation < 1:
            raise ConfigError(f"correlation {self.correlation:g} must lie between -1 and 1; change it")
        if not self.mean or not self.lift:
            raise ConfigError(f"mean {self.mean:g} and lift {self.lift:g} must not be 0; give the change to be found")
        if self.deviation is None and not 0 < self.mean < 1:
            raise ConfigError(f"rate {self.mean:g} is outside 0..1; give a deviation for a metric that is no rate")

    @property
    def variance(self) -> float:
        """Between shoppers, after CUPED."""
        whole = self.mean * (1 - self.mean) if self.deviation is None else self.deviation**2
        return whole * (1 - self.correlation**2)


@dataclass(frozen=True)
class SampleSize:
    """Shoppers of both variants together. Stability: caller.

    Attributes:
        sequential: where the test that may be looked at any time has found the change with the wanted chance.
        fixed: the same for a test that is looked at once, at the end.
    """

    sequential: int
    fixed: int

    def days(self, shoppers_per_day: float) -> float:
        """Return how long the sequential test takes at most, by plan."""
        return self.sequential / shoppers_per_day


def sample_size(question: Question) -> SampleSize:
    """Return the shoppers that `question` needs.

        n = (reach + z_power)^2 * variance * (1 / share + 1 / (1 - share)) / (lift * mean)^2

    with the reach in standard errors: that of the normal law for the fixed test, `boundary` for the sequential one.

    >>> sample_size(Question(mean=0.5, lift=0.2)).fixed  # (1.96 + 0.8416)^2 * 0.25 * 4 / 0.01 = 784.9
    785
    """
    plan = SequentialPlan(1, question.alpha)
    reaches = (boundary(plan.scale, question.alpha), float(norm.isf(question.alpha / 2)))
    sequential, fixed = (_shoppers(question, reach) for reach in reaches)
    return SampleSize(sequential, fixed)


def _shoppers(question: Question, reach: float) -> int:
    wanted = abs(question.lift * question.mean)
    halves = 1 / question.share + 1 / (1 - question.share)
    needed = (reach + float(norm.ppf(question.power))) ** 2 * question.variance * halves / wanted**2
    return math.ceil(needed)
