"""Sums and sets of item rows without sorting: scratch arrays of N that a thread keeps.

A request touches a few thousand of N items; sorting them, or passing through all N, would cost more than all the rest
of retrieval. `PlainRows` is the reference, `trifocal.serve.online.compiled` the fast twin.
Letters: N items, C rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from trifocal.types import FloatArray, IntArray

__all__ = ["PlainRows", "Rows", "Scratch"]


class Rows(Protocol):
    """What retrieval does with rows. Safe to use from several threads. Stability: internal."""

    def summed(
        self, items: IntArray, strengths: FloatArray, size: int
    ) -> AbstractContextManager[tuple[IntArray, FloatArray]]:
        """Give the distinct `items` and (>= `size`,) the sum of their strengths, 0 elsewhere; for the block's time.

        Args:
            items: (C,) rows in any order, each as often as it likes.
            strengths: (C,).
            size: N.
        """
        ...

    def kept(self, rows: IntArray, excluded: IntArray, size: int) -> IntArray:
        """Return the distinct ones of `rows` that are at least 0 and not `excluded`."""
        ...


class Scratch:
    """Arrays of a thread by name, of at least the size that is asked for; zero when they are made."""

    def __init__(self) -> None:
        self._local = threading.local()

    def array(self, name: str, size: int, kind: npt.DTypeLike, fill: float = 0) -> Any:
        """Return the array `name`, (>= `size`,)."""
        found = getattr(self._local, name, None)
        if found is None or len(found) < size:
            # Room to grow: items join a running service.
            found = np.full(size + size // 8 + 1024, fill, dtype=kind)
            setattr(self._local, name, found)
        return found

    def stamp(self) -> int:
        """Return a number that no earlier call of this thread was given."""
        number: int = getattr(self._local, "number", 0) + 1
        self._local.number = number
        return number


class PlainRows:
    """NumPy. Stability: internal."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    @contextmanager
    def summed(self, items: IntArray, strengths: FloatArray, size: int) -> Iterator[tuple[IntArray, FloatArray]]:
        """See `Rows`."""
        sums = self._scratch.array("sums", size, np.float32)
        try:
            np.add.at(sums, items, strengths)
            yield self._distinct(items, size), sums
        finally:
            sums[items] = 0

    def kept(self, rows: IntArray, excluded: IntArray, size: int) -> IntArray:
        """See `Rows`."""
        barred = self._scratch.array("barred", size, np.bool_)
        barred[excluded] = True
        distinct = self._distinct(rows[rows >= 0], size)
        found: IntArray = distinct[~barred[distinct]]
        barred[excluded] = False
        return found

    def _distinct(self, rows: IntArray, size: int) -> IntArray:
        """Each of `rows` once, at the place of its last occurrence."""
        places = self._scratch.array("places", size, np.int64)
        numbers = np.arange(len(rows))
        places[rows] = numbers
        found: IntArray = rows[places[rows] == numbers]
        return found
