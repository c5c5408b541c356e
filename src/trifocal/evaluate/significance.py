"""How sure a figure is: paired bootstrap over users, seeded; 95 % percentile intervals.

Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, 13.3; for retrieval Sakai, SIGIR 2006. The same
resampled users serve every model, so that differences are paired.

Letters: U users, M columns (a model's metric each), S resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trifocal.errors import DataError

__all__ = ["Difference", "Interval", "interval", "paired_differences", "resampled_means"]

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
    """

    mean: float
    low: float
    high: float
    relative: float

    @property
    def clear(self) -> bool:
        """True where the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


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


def paired_differences(values: Values, resamples: Values) -> list[Difference]:
    """Return column 0 minus each later column of `values` (U, M), with the intervals of `resamples` (S, M)."""
    means = values.mean(axis=0)
    found = []
    for column in range(1, values.shape[1]):
        low, high = np.percentile(resamples[:, 0] - resamples[:, column], _PERCENTILES)
        gap = float(means[0] - means[column])
        relative = gap / float(means[column]) if means[column] else float("nan")
        found.append(Difference(gap, float(low), float(high), relative))
    return found
