"""Deletion and insertion: what the score becomes as the parts that an explanation names first are taken away, or given.

Source: Petsiuk, Das & Saenko, "RISE", BMVC 2018, section 4.3. The area under the curve of the score against the share
of parts: by deletion smaller is better, by insertion greater. Letters: P parts, S steps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trifocal.types import BoolArray, FloatArray, IntArray

__all__ = ["SHARES", "area", "deleted", "inserted", "order_of"]

Numbers = npt.NDArray[np.float64]

SHARES: Numbers = np.array([0.0, 0.1, 0.25, 0.5, 1.0])
"""Of the parts that are taken away, or given."""


def order_of(weights: FloatArray) -> IntArray:
    """Return the parts, the one that adds most to the score first; equals in their order.

    >>> order_of(np.array([0.1, -0.5, 0.3], np.float32)).tolist()
    [2, 0, 1]
    """
    order: IntArray = np.argsort(-weights, kind="stable")
    return order


def deleted(order: IntArray) -> BoolArray:
    """Return (S, P): which parts are left when the first of `order` (P,) are taken away, a step a row.

    >>> deleted(np.array([2, 0, 1]))[[0, 3, 4]].tolist()  # none, half of three rounded to two, all
    [[True, True, True], [False, True, False], [False, False, False]]
    """
    return ~inserted(order)


def inserted(order: IntArray) -> BoolArray:
    """Return (S, P): which parts are there when only the first of `order` (P,) are given, a step a row."""
    counts = np.rint(SHARES * len(order)).astype(np.int64)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    there: BoolArray = ranks < counts[:, None]
    return there


def area(scores: Numbers) -> float:
    """Return the area under `scores` (S,) over `SHARES`, by trapezes.

    >>> area(np.array([2.0, 2, 2, 2, 2]))
    2.0
    >>> round(area(1 - SHARES), 9)
    0.5
    """
    return float(np.trapezoid(scores, SHARES))
