"""Sums and sets of item rows without sorting: arrays of N that a thread keeps, and cleans after each use.

A request touches a few thousand of N items; sorting them, or passing through all N, would cost more than all the rest
of retrieval. Letters: N items, C rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from trifocal.types import BoolArray, FloatArray, IntArray

__all__ = ["RowScratch"]


class RowScratch:
    """Scratch space of one thread each. Stability: internal."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def summed(self, rows: IntArray, values: FloatArray, size: int) -> Iterator[FloatArray]:
        """Give (>= `size`,) the sum of `values` by row, 0 elsewhere; for the time of the block.

        Args:
            rows: (C,) in any order, each as often as it likes.
            values: (C,).
            size: N.
        """
        sums = self._array("sums", size, np.float32)
        try:
            np.add.at(sums, rows, values)
            yield sums
        finally:
            sums[rows] = 0

    def distinct(self, rows: IntArray, size: int) -> IntArray:
        """Return each of `rows` once, at the place of its last occurrence."""
        places = self._array("places", size, np.int64)
        numbers = np.arange(len(rows))
        places[rows] = numbers
        found: IntArray = rows[places[rows] == numbers]
        return found

    def without(self, rows: IntArray, excluded: IntArray, size: int) -> IntArray:
        """Return `rows` without `excluded`."""
        barred: BoolArray = self._array("barred", size, np.bool_)
        barred[excluded] = True
        try:
            return rows[~barred[rows]]
        finally:
            barred[excluded] = False

    def _array(self, name: str, size: int, kind: npt.DTypeLike) -> Any:
        found = getattr(self._local, name, None)
        if found is None or len(found) < size:
            # Room to grow: items join a running service.
            found = np.zeros(size + size // 8 + 1024, dtype=kind)
            setattr(self._local, name, found)
        return found
