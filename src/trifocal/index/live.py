"""An index that takes new, changed and removed items at once, over one that never changes.

```
base, as built:   rows 0 .. N0-1     searched without the hidden rows: replaced or removed since
tail, exact:      replaced rows, and rows N0 .. added since: every vector is compared
answer:           the best of both
```

All that changes is one immutable state. A change makes a new state beside the old one, under a lock, and puts it in
place in one assignment; a search reads the state once. So a search sees the index before or after a change, never a
mix, and waits for nobody. A change copies the tail: some thousand items are what it is for, then the index is built
anew.

Letters: B queries, M items of the tail, D embedding, K answers.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trifocal.errors import NotFoundError, ServingError
from trifocal.index.best import best_of, checked_queries, joined
from trifocal.ports import Index
from trifocal.ranking import tie_key
from trifocal.types import FloatArray, IntArray, Rankings

__all__ = ["LiveIndex"]


@dataclass(frozen=True)
class _State:
    """All that changes; the arrays are never written to.

    Attributes:
        n_rows: rows given so far, those of removed items among them.
        hidden: rows of the base that it no longer answers for.
        tail_rows: (M,) rows of the fresh vectors.
        tail_vectors: (M, D).
        tail_keys: (M,) their order among equal scores, odd; those of the base are even.
    """

    n_rows: int
    hidden: IntArray
    tail_rows: IntArray
    tail_vectors: FloatArray
    tail_keys: IntArray


class LiveIndex:
    """Adds, replaces and removes items without building anew. Stability: caller."""

    def __init__(self, base: Index, *, width: int, seed: int = 0) -> None:
        """Take an index that nobody else changes.

        Args:
            base: searched for what has not changed.
            width: of its vectors.
            seed: of its order among equal scores.
        """
        self._base, self._width, self._seed = base, width, seed
        # An empty base has no key, not even for the -1 that fills its lists.
        self._keys = 2 * tie_key(max(len(base), 1), seed)
        none = np.zeros(0, np.int64)
        self._state = _State(len(base), none, none, np.zeros((0, width), np.float32), none)
        self._lock = threading.Lock()

    @property
    def base(self) -> Index:
        """The index as it was built."""
        return self._base

    @property
    def n_fresh(self) -> int:
        """Vectors added or replaced since the index was built; each is compared in every search."""
        return len(self._state.tail_rows)

    @property
    def n_hidden(self) -> int:
        """Rows as built that were replaced or removed since."""
        return len(self._state.hidden)

    def __len__(self) -> int:
        return self._state.n_rows

    def snapshot(self) -> LiveIndex:
        """Return the index as it is now; what changes in one of both is not seen by the other. Copies nothing."""
        taken = copy.copy(self)
        taken._lock = threading.Lock()
        return taken

    def search(self, vectors: FloatArray, k: int, *, exclude: Sequence[IntArray] = ()) -> Rankings:
        """Return the `k` nearest items for each query, never an excluded or a removed one; see `ExactIndex`."""
        state = self._state
        if not len(state.hidden) and not len(state.tail_rows):
            return self._base.search(vectors, k, exclude=exclude)
        queries = checked_queries(vectors, k, exclude, self._width)
        lists = exclude or [state.hidden[:0]] * len(queries)
        left_out = [np.concatenate([rows, state.hidden]) for rows in lists]
        found = self._base.search(queries, k, exclude=left_out)
        if not len(state.tail_rows):
            return found
        return joined([self._merged(state, found, queries, line, lists[line]) for line in range(len(queries))], k)

    def add(self, vectors: FloatArray) -> IntArray:
        """Append items and return their new rows, in order.

        Args:
            vectors: (M, D) float32; copied.

        Raises:
            ServingError: when `vectors` has another width or a value that is no number.
        """
        fresh = self._checked(vectors)
        with self._lock:
            state = self._state
            rows = np.arange(state.n_rows, state.n_rows + len(fresh), dtype=np.int64)
            self._state = self._with_tail(replace(state, n_rows=state.n_rows + len(fresh)), rows, fresh)
        return rows

    def replace(self, row: int, vector: FloatArray) -> None:
        """Give the item of `row` another vector (D,); a removed one is there again.

        Raises:
            NotFoundError: when there is no such row.
            ServingError: when `vector` has another width or a value that is no number.
        """
        fresh = self._checked(np.asarray(vector)[None])
        with self._lock:
            rows = np.array([row], dtype=np.int64)
            self._state = self._with_tail(self._without(self._state, rows), rows, fresh)

    def remove(self, rows: IntArray) -> None:
        """Answer with none of `rows` from now on; other rows keep their number, `len` stays.

        Raises:
            NotFoundError: when one of them is no row; then none is removed.
        """
        with self._lock:
            self._state = self._without(self._state, np.asarray(rows, dtype=np.int64))

    def _merged(self, state: _State, found: Rankings, queries: FloatArray, line: int, excluded: IntArray) -> Rankings:
        k = found.item_rows.shape[1]
        scores = state.tail_vectors @ queries[line]
        scores[np.isin(state.tail_rows, excluded)] = -np.inf
        # What the base does not fill stands as row -1 with -inf, which no list takes up.
        rows = np.concatenate([found.item_rows[line], state.tail_rows])
        keys = np.concatenate([self._keys[found.item_rows[line]], state.tail_keys])
        return best_of(rows, np.concatenate([found.scores[line], scores]), keys, k)

    def _with_tail(self, state: _State, rows: IntArray, vectors: FloatArray) -> _State:
        # Odd, from before the first key of the base to behind its last: no item comes first for being old.
        places = [int(np.random.default_rng((self._seed, int(row))).integers(len(self._keys) + 1)) for row in rows]
        return replace(
            state,
            tail_rows=np.concatenate([state.tail_rows, rows]),
            tail_vectors=np.concatenate([state.tail_vectors, vectors]),
            tail_keys=np.concatenate([state.tail_keys, 2 * np.array(places, dtype=np.int64) - 1]),
        )

    def _without(self, state: _State, rows: IntArray) -> _State:
        outside = rows[(rows < 0) | (rows >= state.n_rows)]
        if len(outside):
            raise NotFoundError(f"item row {outside[0]} is outside the index of {state.n_rows} rows")
        stays = ~np.isin(state.tail_rows, rows)
        return replace(
            state,
            hidden=np.union1d(state.hidden, rows[rows < len(self._base)]),
            tail_rows=state.tail_rows[stays],
            tail_vectors=state.tail_vectors[stays],
            tail_keys=state.tail_keys[stays],
        )

    def _checked(self, vectors: FloatArray) -> FloatArray:
        if vectors.ndim != 2 or vectors.shape[1] != self._width:
            raise ServingError(f"item vectors have shape {vectors.shape}, this index needs (items, {self._width})")
        if not np.isfinite(vectors).all():
            raise ServingError("an item vector holds NaN or infinity; every value must be a finite number")
        return np.asarray(vectors, dtype=np.float32)
