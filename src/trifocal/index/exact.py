"""Exact search by inner product, in chunks of items: the reference for every other index. No file, no id.

Letters: B queries, N items, D embedding, C items of one chunk, K answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trifocal.errors import ConfigError
from trifocal.index.best import check_table, checked_queries, joined
from trifocal.ranking import tie_key
from trifocal.types import FloatArray, IntArray, Rankings, VectorTable

__all__ = ["ExactIndex"]

# Scores held at once: 4 Mi float32 are 16 MiB, which stays near the last-level cache of one core.
_SCORES_AT_ONCE = 4 * 1024 * 1024
_QUERIES_AT_ONCE = 256


class ExactIndex:
    """Every vector is compared: the answer of `trifocal.ranking.top_k`, in bounded memory. Stability: caller."""

    def __init__(self, vectors: VectorTable, *, seed: int = 0, scores_at_once: int = _SCORES_AT_ONCE) -> None:
        """Take the item vectors, which may be memory-mapped.

        Args:
            vectors: (N, D) float32; not copied.
            seed: of the order among equal scores.
            scores_at_once: greatest number of scores in memory.

        Raises:
            ConfigError: when `vectors` is no table or `scores_at_once` is no positive number.
        """
        check_table(vectors)
        if scores_at_once < 1:
            raise ConfigError(f"scores_at_once is {scores_at_once}, it must be at least 1")
        self.vectors = vectors
        self.seed = seed
        self._keys = tie_key(len(vectors), seed)
        self._scores_at_once = scores_at_once

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, vectors: FloatArray, k: int, *, exclude: Sequence[IntArray] = ()) -> Rankings:
        """Return the `k` items of greatest inner product with each query, never an excluded one.

        Args:
            vectors: (B, D) float32 queries.
            k: length of the lists; a list is filled with row -1 where fewer items are left.
            exclude: for each query the rows to leave out, in any order; empty = leave out none.

        Raises:
            ServingError: when `k` is below 1, `vectors` has another width or a value that is no number, or `exclude`
                is neither empty nor one a query.
        """
        queries = checked_queries(vectors, k, exclude, self.vectors.shape[1])
        excluded = [np.unique(rows) for rows in exclude] or [np.zeros(0, np.int64)] * len(queries)
        blocks = [
            self._search_block(queries[start : start + _QUERIES_AT_ONCE], k, excluded[start : start + _QUERIES_AT_ONCE])
            for start in range(0, len(queries), _QUERIES_AT_ONCE)
        ]
        return joined(blocks, k)

    def _search_block(self, queries: FloatArray, k: int, excluded: Sequence[IntArray]) -> Rankings:
        step = max(self._scores_at_once // len(queries), 1)
        best_rows = np.full((len(queries), k), -1, dtype=np.int64)
        best_scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        for start in range(0, len(self), step):
            chunk = np.asarray(self.vectors[start : start + step], dtype=np.float32)
            scores = queries @ chunk.T
            for line, rows in enumerate(excluded):
                low, high = np.searchsorted(rows, (start, start + len(chunk)))
                scores[line, rows[low:high] - start] = -np.inf
            for line in range(len(queries)):
                self._merge(best_rows[line], best_scores[line], scores[line], start)
        return Rankings(best_rows, best_scores)

    def _merge(self, best_rows: IntArray, best_scores: FloatArray, scores: FloatArray, start: int) -> None:
        """Work the scores of one chunk (C,) into the best K so far, in place."""
        k = len(best_rows)
        limit = best_scores[-1]
        if len(scores) > k:
            limit = max(limit, np.partition(scores, len(scores) - k)[len(scores) - k])
        # Items equal to the limit stay in the run: only the tie key decides among them.
        columns = np.flatnonzero((scores >= limit) & (scores > -np.inf))
        rows = np.concatenate([best_rows[best_rows >= 0], columns + start])
        values = np.concatenate([best_scores[best_rows >= 0], scores[columns]])
        order = np.lexsort((self._keys[rows], -values))[:k]
        best_rows[: len(order)] = rows[order]
        best_scores[: len(order)] = values[order]
