"""Which items were taken together, and how often: pairs by their first item. NumPy only.

Letters: P pairs, N items, L events, K candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trifocal.types import FloatArray, IntArray

__all__ = ["Pairs"]

_READ_PAIRS = 4


@dataclass(frozen=True)
class Pairs:
    """Which of `size` items were taken together, and how often; items behind them were taken with none.

    Attributes:
        keys: (P,) int64 rising, row * size + row of the other item.
        counts: (P,) float32.
    """

    keys: IntArray
    counts: FloatArray
    size: int

    def counts_of(self, history: IntArray, candidates: IntArray) -> FloatArray:
        """Return (L, K): how many users took both."""
        known, asked = history < self.size, candidates < self.size
        if known.all() and asked.all():
            return self._found(history, candidates)
        counts = np.zeros((len(history), len(candidates)), dtype=np.float32)
        counts[np.ix_(known, asked)] = self._found(history[known], candidates[asked])
        return counts

    def _found(self, history: IntArray, candidates: IntArray) -> FloatArray:
        links = self.starts[history + 1] - self.starts[history]
        # Reading an item's pairs pays while they are fewer than the searches among all pairs would be.
        if int(links.sum()) > _READ_PAIRS * len(history) * len(candidates):
            return self._found_by_key(history, candidates)
        return self._found_by_row(history, candidates, links)

    def _found_by_key(self, history: IntArray, candidates: IntArray) -> FloatArray:
        wanted = history[:, None] * self.size + candidates
        places = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        return np.where(self.keys[places] == wanted, self.counts[places], 0).astype(np.float32)

    def _found_by_row(self, history: IntArray, candidates: IntArray, links: IntArray) -> FloatArray:
        together = np.zeros((len(history), len(candidates)), dtype=np.float32)
        if not len(candidates):
            return together
        lines = np.repeat(np.arange(len(history)), links)
        # The places of all pairs of each item of the history, one after the other.
        first = np.cumsum(links) - links
        places = np.arange(len(lines)) + np.repeat(self.starts[history] - first, links)
        seconds = self.others[places]
        order = np.argsort(candidates)
        found = np.searchsorted(candidates[order], seconds).clip(max=len(candidates) - 1)
        columns = order[found]
        hit = candidates[columns] == seconds
        together[lines[hit], columns[hit]] = self.counts[places[hit]]
        return together

    @cached_property
    def starts(self) -> IntArray:
        """(N + 1,) where the pairs of each item begin."""
        return np.searchsorted(self.keys, np.arange(self.size + 1) * self.size).astype(np.int64)

    @cached_property
    def others(self) -> npt.NDArray[np.int32]:
        """(P,) the second item of each pair."""
        return (self.keys % max(self.size, 1)).astype(np.int32)
