"""Rows of a stored table, made unit length as they are read: a large table that no second copy is wanted of."""

from __future__ import annotations

import numpy as np

from trifocal.index.nearest import normalised
from trifocal.types import AnyFloats, FloatArray, IntArray

__all__ = ["UnitRows"]


class UnitRows:
    """(N, D) float32 of length 1, over a table that may be memory-mapped and half as precise. Stability: internal."""

    ndim = 2

    def __init__(self, table: AnyFloats) -> None:
        """Take the table (N, D); it is not copied."""
        self._table = table
        self.shape: tuple[int, ...] = table.shape

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, rows: IntArray | slice, /) -> FloatArray:
        """Return the rows `rows` as unit vectors; a zero vector stays zero."""
        return normalised(np.asarray(self._table[rows], dtype=np.float32))
