"""What one variant reached, per shopper: a mean with its standard error. The shopper is the unit, as it was assigned.

Letters: S shoppers of one variant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trifocal.errors import DataError

__all__ = ["MeanEstimate", "Numbers", "linearised", "mean_estimate", "ratio_estimate"]

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeanEstimate:
    """A mean over shoppers. Stability: caller.

    Attributes:
        mean: in the metric's own unit; nan where nothing was seen.
        standard_error: of the mean, at least 0; infinite with fewer than two shoppers.
        shoppers: how many stand behind it.
    """

    mean: float
    standard_error: float
    shoppers: int


def linearised(top: Numbers, bottom: Numbers) -> Numbers:
    """Return (S,) values whose mean is sum(top) / sum(bottom), and whose spread is that of the ratio.

        R + (top - R * bottom) / mean(bottom)

    The delta method for a ratio of two means per shopper: Deng, Knoblich and Lu, "Applying the delta method in
    metric analytics", KDD 2018. Impressions of one shopper are alike, so that counting them one by one would make
    the interval too narrow.

    >>> linearised(np.array([1.0, 0.0]), np.array([2.0, 2.0])).tolist()
    [0.5, 0.0]

    Args:
        top: (S,) summed per shopper, say clicks.
        bottom: (S,) likewise, say impressions; in sum above 0.

    Raises:
        DataError: when `bottom` sums to 0.
    """
    usual = float(bottom.mean()) if len(bottom) else 0.0
    if not usual > 0:
        raise DataError(
            f"{len(bottom)} shoppers have a denominator of {usual:g} in the mean; a ratio needs one above 0"
        )
    ratio = float(top.mean()) / usual
    return np.asarray(ratio + (top - ratio * bottom) / usual)


def mean_estimate(values: Numbers) -> MeanEstimate:
    """Return the mean of `values` (S,) with its standard error.

    >>> mean_estimate(np.array([1.0, 3.0]))
    MeanEstimate(mean=2.0, standard_error=1.0, shoppers=2)
    """
    count = len(values)
    mean = float(values.mean()) if count else math.nan
    error = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    return MeanEstimate(mean, error, count)


def ratio_estimate(top: Numbers, bottom: Numbers) -> MeanEstimate:
    """Return sum(top) / sum(bottom) with the standard error of the delta method; unknown where `bottom` sums to 0.

    >>> ratio_estimate(np.array([1.0, 0.0]), np.array([2.0, 2.0]))
    MeanEstimate(mean=0.25, standard_error=0.25, shoppers=2)
    """
    if not bottom.sum() > 0:
        return MeanEstimate(math.nan, math.inf, len(bottom))
    return mean_estimate(linearised(top, bottom))
