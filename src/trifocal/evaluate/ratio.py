"""How one mean stands to another, with its interval: paired bootstrap over users, as in `significance`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trifocal.evaluate.significance import Interval, resampled_means

__all__ = ["mean_ratio"]


def mean_ratio(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], *, samples: int = 2000, seed: int = 0
) -> Interval:
    """Return mean of `first` / mean of `second`, both (U,) of the same users, with the 95 % interval.

    NaN where the second mean is 0; resamples where it is 0 are left out.

    >>> same = mean_ratio(np.array([0.5, 1.0]), np.array([1.0, 2.0]))  # a half for every user: no spread at all
    >>> (same.mean, same.low, same.high)
    (0.5, 0.5, 0.5)

    Raises:
        DataError: when there is no user.
    """
    means = resampled_means(np.stack([first, second], axis=1), samples=samples, seed=seed)
    known = means[means[:, 1] > 0]
    if second.mean() == 0 or not len(known):
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.percentile(known[:, 0] / known[:, 1], (2.5, 97.5))
    return Interval(float(first.mean() / second.mean()), float(low), float(high))
