"""A share or a mean beside its 95 % interval. Imports nothing from this package."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Estimate", "mean_estimate", "share_estimate"]

# Two-sided 95 % of the normal distribution.
_Z = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A figure with the interval that it lies in with 95 % confidence.

    Attributes:
        value: None where nothing was observed.
        low: lower end.
        high: upper end.
        of: how many were observed.
    """

    value: float | None
    low: float | None
    high: float | None
    of: int


_NOTHING = Estimate(None, None, None, 0)


def share_estimate(successes: float, of: int) -> Estimate:
    """Return the share with its Wilson interval (Wilson, JASA 1927).

    `(p + z2/2n +- z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n)`; 8 of 10 lie between .490 and .943:

    >>> found = share_estimate(8, 10)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.8, 0.49, 0.943)
    >>> share_estimate(0, 0).value is None
    True

    Args:
        successes: more than `of` counts as all of them.
        of: how many there were.
    """
    if of <= 0:
        return _NOTHING
    p, square = min(successes / of, 1.0), _Z * _Z
    centre = p + square / (2 * of)
    spread = _Z * math.sqrt(p * (1 - p) / of + square / (4 * of * of))
    scale = 1 + square / of
    return Estimate(p, max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0), of)


def mean_estimate(total: float, squares: float, of: int) -> Estimate:
    """Return the mean with its normal interval, cut to 0..1.

    0, 1, 0, 1: mean .5, deviation sqrt(1/3), .5 +- 1.96 x .577 / 2 = .5 +- .566, cut to 0..1.

    >>> mean_estimate(2.0, 2.0, 4)
    Estimate(value=0.5, low=0.0, high=1.0, of=4)

    Args:
        total: sum of the values, each in 0..1.
        squares: sum of their squares.
        of: how many there were.
    """
    if of <= 0:
        return _NOTHING
    mean = total / of
    variance = max(squares - of * mean * mean, 0.0) / max(of - 1, 1)
    half = _Z * math.sqrt(variance / of)
    return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0), of)
