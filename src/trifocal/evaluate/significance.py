"""How sure a figure is: paired bootstrap over users, seeded; 95 % percentile intervals; p corrected after Holm.

Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, 13.3; for retrieval Sakai, SIGIR 2006. The same
resampled users serve every model, so that differences are paired. One model against many: Holm, "A Simple Sequentially
Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979.

Letters: U users, M columns (a model's metric each), S resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trifocal.errors import DataError

__all__ = [
    "LEVEL",
    "Difference",
    "Interval",
    "bootstrap_p",
    "holm",
    "interval",
    "paired_differences",
    "resampled_means",
]

# A difference is called significant where its corrected p is below.
LEVEL = 0.05

Values = npt.NDArray[np.float64]

_PERCENTILES = (2.5, 97.5)
# Resamples counted at once: bounds memory to about 50 MB at 100,000 users.
_CELLS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean over users and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much greater one mean is than another.

    Attributes:
        mean: first minus second.
        low: lower end of the 95 % interval of the difference.
        high: upper end of it.
        relative: the difference / the second mean; NaN where that is 0.
        p: two-sided, of the paired bootstrap, see `bootstrap_p`.
        corrected: p after Holm over all the models that the first is compared with in this metric.
    """

    mean: float
    low: float
    high: float
    relative: float
    p: float
    corrected: float

    @property
    def clear(self) -> bool:
        """True where the interval, of this pair alone, leaves 0 out."""
        return self.low > 0 or self.high < 0

    @property
    def significant(self) -> bool:
        """True where p is below 5 % even after the correction."""
        return self.corrected < LEVEL


def resampled_means(values: Values, *, samples: int = 2000, seed: int = 0) -> Values:
    """Return the means (S, M) of `values` (U, M) over `samples` draws of U users with replacement.

    Raises:
        DataError: when there is no user.
    """
    users = len(values)
    if users == 0:
        raise DataError("a bootstrap was asked for over 0 users; give at least 1")
    generator = np.random.default_rng(seed)
    means = np.empty((samples, values.shape[1]))
    step = max(1, _CELLS // users)
    for start in range(0, samples, step):
        size = min(step, samples - start)
        drawn = generator.integers(0, users, (size, users)) + np.arange(size)[:, None] * users
        counts = np.bincount(drawn.ravel(), minlength=size * users).reshape(size, users)
        means[start : start + size] = counts @ values / users
    return means


def interval(values: Values, resamples: Values) -> Interval:
    """Return the mean of `values` (U,) with the interval that its `resamples` (S,) give."""
    low, high = np.percentile(resamples, _PERCENTILES)
    return Interval(float(values.mean()), float(low), float(high))


def bootstrap_p(gaps: Values) -> float:
    """Return the two-sided p of "no difference": 2 * min(share of `gaps` <= 0, share >= 0), at most 1.

    The duality of percentile interval and test: p < .05 where the 95 % interval leaves 0 out, up to the grain of S
    resamples. At least 1 / S, since S resamples cannot tell a smaller chance from none.

    One of eight differences is negative, so p = 2 * 1/8.

    >>> bootstrap_p(np.array([0.3, 0.1, 0.2, -0.1, 0.4, 0.2, 0.1, 0.3]))
    0.25

    Args:
        gaps: (S,) resampled differences.
    """
    share = min(float((gaps <= 0).mean()), float((gaps >= 0).mean()))
    return min(1.0, max(2 * share, 1 / len(gaps)))


def holm(p: Sequence[float]) -> list[float]:
    """Return `p` corrected after Holm 1979, in the order given.

    Whoever rejects where a corrected p is below a level errs in any of the tests with no more than that chance.
    From the least up, the i-th of m is multiplied by m - i + 1; none is less than the one before, none above 1.

    Three tests: .01 * 3 = .03; .03 * 2 = .06; .04 * 1 = .04, raised to .06.

    >>> [round(value, 4) for value in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(raised, 1)
    return [float(value) for value in corrected]


def paired_differences(values: Values, resamples: Values) -> list[Difference]:
    """Return column 0 minus each later column of `values` (U, M), with the intervals of `resamples` (S, M)."""
    means = values.mean(axis=0)
    gaps = resamples[:, :1] - resamples[:, 1:]
    p = [bootstrap_p(column) for column in gaps.T]
    found = []
    for place, corrected in enumerate(holm(p)):
        low, high = np.percentile(gaps[:, place], _PERCENTILES)
        gap, other = float(means[0] - means[place + 1]), float(means[place + 1])
        relative = gap / other if other else float("nan")
        found.append(Difference(gap, float(low), float(high), relative, p[place], corrected))
    return found
