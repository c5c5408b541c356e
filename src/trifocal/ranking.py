"""Scores -> ordered lists. Pure functions on arrays; equal scores are ordered by a seeded random key, never by row.

`top_k` is the reference: all scores at once. `streamed_top_k` gives the same lists from blocks of columns, in memory
that does not grow with the number of items.

Letters: B rows of scores, N items (columns), K length of the lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np

from trifocal.errors import DataError
from trifocal.types import BoolArray, FloatArray, IntArray, Rankings

__all__ = ["streamed_top_k", "tie_key", "top_k"]

_Array = TypeVar("_Array", IntArray, FloatArray)

# Keys of the few catalogues that a process ranks; a million items are 8 MB each.
_KEYS_KEPT = 4
# Below every score that can be recommended, above the -inf of those that cannot.
_LOWEST = np.finfo(np.float32).min
# More candidates than this many lists: the k-th score of the block itself is worth finding.
_DENSE = 4


@lru_cache(maxsize=_KEYS_KEPT)
def tie_key(n_items: int, seed: int) -> IntArray:
    """Return a random permutation of `n_items`: the order in which equal scores are ranked. Shared, so read-only."""
    key = np.random.default_rng(seed).permutation(n_items).astype(np.int64)
    key.setflags(write=False)
    return key


@lru_cache(maxsize=_KEYS_KEPT)
def _tie_order(n_items: int, seed: int) -> IntArray:
    order = np.argsort(tie_key(n_items, seed))
    order.setflags(write=False)
    return order


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
    n_items = scores.shape[1]
    shuffle = _tie_order(n_items, seed)
    # Shuffled columns make "the first of equal ones" the order of the key.
    shuffled = np.take(scores, shuffle, axis=1).astype(np.float32, copy=False)
    rows, columns = _pairs(exclude)
    shuffled[rows, tie_key(n_items, seed)[columns]] = -np.inf
    places, best = _best_columns(shuffled, min(k, n_items))
    found = np.where(np.isneginf(best), -1, shuffle[places])
    return Rankings(_padded(found, k, -1), _padded(best, k, -np.inf))


def streamed_top_k(
    blocks: Iterable[tuple[int, FloatArray]],
    shape: tuple[int, int],
    k: int,
    *,
    exclude: Sequence[IntArray] = (),
    seed: int = 0,
) -> Rankings:
    """Return what `top_k` returns, from the scores of some columns at a time.

    Memory beside the blocks: 16 bytes an item for the tie key, about 150 bytes a place of the B lists, and 1 byte a
    score of one block; where most scores of a block are equal or rise from block to block, up to 100 bytes a score.

    Args:
        blocks: the first column and the (B, n) scores of the n columns from there on, in any order, each column once.
            A column that never comes is not recommended. Not changed, and not read again once the next is asked for.
        shape: B, N of all scores together.
        k: length of the lists; a list is filled with row -1 where fewer items are left.
        exclude: for each row the columns to leave out; empty = leave out none.
        seed: of the order among equal scores.

    Raises:
        DataError: when a block or an excluded column lies outside `shape`.

    >>> halves = [(2, np.array([[0.5, 0.7]], np.float32)), (0, np.array([[0.1, 0.9]], np.float32))]
    >>> streamed_top_k(halves, (1, 4), 2, exclude=[np.array([1])]).item_rows.tolist()
    [[3, 2]]
    """
    best = _RunningBest(shape, k, exclude, seed)
    for first, scores in blocks:
        best.add(first, np.asarray(scores, dtype=np.float32))
    return best.rankings()


class _RunningBest:
    """The best K of each row so far, by (falling score, tie key). A candidate is its pair, row * N + column.

    Candidates wait unsorted until there are as many as the lists hold: sorting is then a small part of the work, and
    the limits, though a little old, still let through all that can come in.
    """

    def __init__(self, shape: tuple[int, int], k: int, exclude: Sequence[IntArray], seed: int) -> None:
        self._n_rows, self._n_items = shape
        self._k = k
        self._key = tie_key(self._n_items, seed)
        rows, columns = _pairs(exclude)
        outside = columns[(columns < 0) | (columns >= self._n_items)]
        if len(outside):
            raise DataError(f"column {outside[0]} is to be left out, columns are 0 to {self._n_items - 1}")
        self._excluded = np.unique(rows * self._n_items + columns)
        # A column comes in with a score above its row's limit, or one equal to it and a smaller key.
        self._limit = np.full(self._n_rows, _LOWEST, dtype=np.float32)
        self._key_limit = np.full(self._n_rows, self._n_items, dtype=np.int64)
        self._pairs: list[IntArray] = [np.zeros(0, np.int64)]
        self._values: list[FloatArray] = [np.zeros(0, np.float32)]
        self._waiting = 0

    def add(self, first: int, scores: FloatArray) -> None:
        """Take in the scores (B, n) of the columns from `first` on."""
        if len(scores) != self._n_rows or not 0 <= first <= self._n_items - scores.shape[1]:
            raise DataError(
                f"a block of shape {scores.shape} from column {first} on lies outside the "
                f"{self._n_rows} rows and {self._n_items} columns announced"
            )
        reaching = scores >= self._limit[:, None]
        if np.count_nonzero(reaching) > _DENSE * self._n_rows * self._k:
            self._tighten(first, scores)
            np.greater_equal(scores, self._limit[:, None], out=reaching)
        rows, offsets = _places(reaching)
        pairs, values = self._entering(rows, offsets + first, scores[rows, offsets])
        self._pairs.append(pairs)
        self._values.append(values)
        self._waiting += len(pairs)
        if self._waiting > self._n_rows * self._k:
            self._settle()

    def rankings(self) -> Rankings:
        """Return the lists."""
        rows, places = self._settle()
        item_rows = np.full((self._n_rows, self._k), -1, dtype=np.int64)
        scores = np.full((self._n_rows, self._k), -np.inf, dtype=np.float32)
        item_rows[rows, places] = self._pairs[0] - rows * self._n_items
        scores[rows, places] = self._values[0]
        return Rankings(item_rows, scores)

    def _tighten(self, first: int, scores: FloatArray) -> None:
        """Raise the limits to the K-th score of this block alone, which that of all columns cannot be below."""
        n = scores.shape[1]
        if n <= self._k:
            return
        allowed = scores.copy()
        rows, columns = np.divmod(self._excluded, max(self._n_items, 1))
        here = (columns >= first) & (columns < first + n)
        allowed[rows[here], columns[here] - first] = -np.inf
        allowed.partition(n - self._k, axis=1)
        limit = allowed[:, n - self._k]
        higher = limit > self._limit
        self._limit[higher] = limit[higher]
        # Of which columns the limit stems is not known: every equal one may come in.
        self._key_limit[higher] = self._n_items

    def _entering(self, rows: IntArray, columns: IntArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
        pairs = rows * self._n_items + columns
        enters = (values > self._limit[rows]) | (self._key[columns] < self._key_limit[rows])
        if len(self._excluded):
            nearest = np.searchsorted(self._excluded, pairs).clip(max=len(self._excluded) - 1)
            enters &= self._excluded[nearest] != pairs
        return pairs[enters], values[enters]

    def _settle(self) -> tuple[IntArray, IntArray]:
        """Keep the best K of each row; return row and place of each kept pair."""
        pairs, values = np.concatenate(self._pairs), np.concatenate(self._values)
        rows, columns = np.divmod(pairs, max(self._n_items, 1))
        keys = self._key[columns]
        order = np.lexsort((keys, -values, rows))
        places = _place_in_run(rows[order])
        kept = order[places < self._k]
        rows, places = rows[kept], places[places < self._k]
        self._pairs, self._values, self._waiting = [pairs[kept]], [values[kept]], 0
        last = places == self._k - 1
        self._limit[rows[last]] = values[kept][last]
        self._key_limit[rows[last]] = keys[kept][last]
        return rows, places


def _pairs(exclude: Sequence[IntArray]) -> tuple[IntArray, IntArray]:
    """Return row and column of everything that is left out."""
    rows = np.repeat(np.arange(len(exclude)), [len(columns) for columns in exclude])
    return rows, np.concatenate([np.zeros(0, np.int64), *exclude])


def _places(mask: BoolArray) -> tuple[IntArray, IntArray]:
    """Return `np.nonzero(mask)`, faster where little is set."""
    flat = np.flatnonzero(mask)
    rows = flat // max(mask.shape[1], 1)
    return rows, flat - rows * mask.shape[1]


def _place_in_run(values: IntArray) -> IntArray:
    """Return how many equal values stand before each value; equal ones stand together.

    >>> _place_in_run(np.array([4, 4, 4, 7, 9, 9])).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    index = np.arange(len(values))
    starts = np.concatenate([[True], values[1:] != values[:-1]])[: len(values)]
    return index - np.maximum.accumulate(np.where(starts, index, 0))


def _best_columns(scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    if k == 0:
        return np.zeros((len(scores), 0), np.int64), np.zeros((len(scores), 0), np.float32)
    n = scores.shape[1]
    limit = np.partition(scores, n - k, axis=1)[:, n - k, None]
    above, equal = scores > limit, scores == limit
    # Of the scores equal to the k-th, the first columns fill what those above leave free: k a row altogether.
    free = k - np.count_nonzero(above, axis=1)
    counts = np.count_nonzero(equal, axis=1)
    row = np.repeat(np.arange(len(scores)), free)
    filling = np.flatnonzero(equal)[(np.cumsum(counts) - counts)[row] + _place_in_run(row)]
    chosen = np.sort(np.concatenate([np.flatnonzero(above), filling])).reshape(len(scores), k)
    values = scores.reshape(-1)[chosen]
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1) % n, np.take_along_axis(values, order, axis=1)


def _padded(values: _Array, k: int, fill: float) -> _Array:
    missing = k - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=fill) if missing > 0 else values
