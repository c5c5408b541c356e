"""Rows and evidence by compiled loops: the fast twins of `PlainRows` and `compare_with_history`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from trifocal.model.evidence import FIRST_ATTRIBUTE, EvidenceTables
from trifocal.serve.online import kernels
from trifocal.serve.online.rows import Scratch
from trifocal.types import FloatArray, IntArray

__all__ = ["CompiledComparison", "CompiledRows"]


class CompiledRows:
    """Numba. Stability: internal."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    @contextmanager
    def summed(self, items: IntArray, strengths: FloatArray, size: int) -> Iterator[tuple[IntArray, FloatArray]]:
        """See `Rows`."""
        sums = self._scratch.array("sums", size, np.float32)
        stamps = self._scratch.array("touched", size, np.int64)
        touched: IntArray = kernels.linked_sums(items, strengths, sums, stamps, self._scratch.stamp())
        try:
            yield touched, sums
        finally:
            sums[touched] = 0

    def kept(self, rows: IntArray, excluded: IntArray, size: int) -> IntArray:
        """See `Rows`."""
        barred = self._scratch.array("barred", size, np.int64)
        found: IntArray = kernels.gathered(rows, excluded, barred, self._scratch.stamp())
        return found


class CompiledComparison:
    """A `Comparison`. Stability: internal."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def __call__(
        self, tables: EvidenceTables, table: FloatArray, candidates: IntArray, rows: IntArray, own: FloatArray
    ) -> None:
        """See `compare_with_history`; nothing is held out when serving, so that `own` is zero."""
        pairs = tables.taken_pairs
        kernels.evidence(
            table,
            candidates,
            rows,
            tables.text[candidates],
            tables.text[rows],
            tables.image[candidates],
            tables.image[rows],
            tables.attributes[candidates],
            tables.attributes[rows],
            tables.counts,
            pairs.starts,
            pairs.others,
            pairs.counts,
            self._scratch.array("columns", len(tables.counts), np.int32, fill=-1),
            FIRST_ATTRIBUTE,
        )
