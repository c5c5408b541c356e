"""Scores -> ordered lists. Pure functions on arrays; equal scores are ordered by a seeded random key, never by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from trifocal.types import FloatArray, IntArray, Rankings

__all__ = ["tie_key", "top_k"]

_Array = TypeVar("_Array", IntArray, FloatArray)


def tie_key(n_items: int, seed: int) -> IntArray:
    """Return a random permutation of `n_items`: the order in which equal scores are ranked."""
    return np.random.default_rng(seed).permutation(n_items).astype(np.int64)


def top_k(scores: FloatArray, k: int, *, exclude: Sequence[IntArray] = (), seed: int = 0) -> Rankings:
    """Return the `k` best columns of each row of `scores`.

    Args:
        scores: (B, N) float; -inf marks an item that cannot be recommended. Not changed.
        k: length of the lists; a list is filled with row -1 where fewer items are left.
        exclude: for each row of `scores` the columns to leave out; empty = leave out none.
        seed: of the order among equal scores.

    >>> top_k(np.array([[0.1, 0.9, 0.5]], np.float32), 2, exclude=[np.array([1])]).item_rows.tolist()
    [[2, 0]]
    """
    scores = np.array(scores, dtype=np.float32)
    for row, columns in enumerate(exclude):
        scores[row, columns] = -np.inf
    # Shuffled columns make argpartition and the stable sort break ties by the key alone.
    shuffle = np.argsort(tie_key(scores.shape[1], seed))
    rows, best = _best_columns(scores[:, shuffle], min(k, scores.shape[1]))
    rows = np.where(np.isneginf(best), -1, shuffle[rows])
    return Rankings(_padded(rows, k, -1), _padded(best, k, -np.inf))


def _best_columns(scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    threshold = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    # Among scores equal to the k-th, the first columns win: rank by (score, column) on the candidates only.
    order = np.empty((len(scores), k), dtype=np.int64)
    for row, (line, limit) in enumerate(zip(scores, threshold, strict=True)):
        above = np.flatnonzero(line > limit)
        equal = np.flatnonzero(line == limit)[: k - len(above)]
        candidates = np.sort(np.concatenate([above, equal]))
        order[row] = candidates[np.argsort(-line[candidates], kind="stable")]
    return order, np.take_along_axis(scores, order, axis=1)


def _padded(values: _Array, k: int, fill: float) -> _Array:
    missing = k - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=fill) if missing > 0 else values
