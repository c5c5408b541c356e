"""What shoppers did before the experiment takes noise out of what they do in it: CUPED.

Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online controlled experiments by utilizing pre-experiment
data", WSDM 2013. The covariate must be older than the first exposure: then it cannot depend on the variant.
"""

from __future__ import annotations

import numpy as np

from trifocal.feedback.experiments.estimates import Numbers
from trifocal.types import IntArray

__all__ = ["adjusted", "variance_left"]


def adjusted(values: Numbers, before: Numbers, variant: IntArray) -> Numbers:
    """Return `values` less what `before` foretold; the difference of variants stays the same in expectation.

        value - theta * (before - mean before),  theta = cov(value, before) / var(before) within the variants

    The mean is over all shoppers of all variants. A shopper who was not there before stays as is.

    >>> value, before = np.array([1.0, 3.0, 2.0, 4.0]), np.array([1.0, 3.0, 1.0, 3.0])  # theta = 1, mean 2
    >>> adjusted(value, before, np.array([0, 0, 1, 1])).tolist()
    [2.0, 2.0, 3.0, 3.0]

    Args:
        values: (S,) outcomes of the shoppers of all variants.
        before: (S,) the covariate; nan = not there before.
        variant: (S,) number of the variant.
    """
    known = np.isfinite(before)
    if not known.any():
        return values
    centred = np.where(known, before - before[known].mean(), 0.0)
    theta = _slope(values, centred, variant)
    return np.asarray(values - theta * centred)


def variance_left(values: Numbers, before: Numbers, variant: IntArray) -> float:
    """Return the share of the variance within variants that is left, 0..1; so many times fewer shoppers are needed."""
    whole = _within(values, variant)
    total = float(whole @ whole)
    rest = _within(adjusted(values, before, variant), variant)
    return float(rest @ rest) / total if total else 1.0


def _slope(values: Numbers, centred: Numbers, variant: IntArray) -> float:
    x = _within(centred, variant)
    spread = float(x @ x)
    return float(x @ _within(values, variant)) / spread if spread else 0.0


def _within(values: Numbers, variant: IntArray) -> Numbers:
    """Return (S,) deviations from the mean of the own variant."""
    counts = np.maximum(np.bincount(variant), 1)
    means = np.bincount(variant, weights=values) / counts
    return np.asarray(values - means[variant])
