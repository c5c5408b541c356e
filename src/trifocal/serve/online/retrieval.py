"""User vector and history -> the best candidates, from two sources: the index, and the links of the memory.

```
history ─► links of its items (a few thousand) ─┐
user vector ─► index ─► nearest items ──────────┼─► union, exact scores, best K
most popular items, for who has neither ────────┘
```

The score is that of `TwoStageRecommender`: links + popularity prior + factor x deep score. An item without a link can
only come first by its deep score or its popularity, so that the union holds what a full scan would find; where the
deep score joins the links, only the best linked items are scored (`_LINKED`). `tests/serve/online` holds both together.

Letters: N items, K candidates, C items of the union.
"""

from __future__ import annotations

import copy
from typing import Protocol

import numpy as np

from trifocal.errors import ServingError
from trifocal.model.two_stage import Blend, popularity_prior
from trifocal.ports import Index
from trifocal.serve.online.candidates import Candidates
from trifocal.serve.online.links import Links
from trifocal.serve.online.rows import PlainRows, Rows
from trifocal.types import FloatArray, FloatRows, IntArray, Request

__all__ = ["Retrieval", "TwoSourceRetrieval"]

# Linked items that are scored by the user vector as well.
_LINKED = 600
# Linked items, as a multiple of k, from which popular ones without a link are left out.
_ENOUGH = 4


class Retrieval(Protocol):
    """One question -> its best candidates. Stability: caller."""

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        """Return the `k` best items that `request` does not exclude, by the user vector (D,) and the history."""
        ...

    def remember(self, request: Request, k: int) -> Candidates:
        """Return the `k` best items by links and popularity alone; empty where the history is linked with nothing.

        Raises:
            ServingError: when there is no memory.
        """
        ...

    def linked(self, history: IntArray, item_rows: IntArray) -> FloatArray:
        """Return (K,) how strongly `history` is linked to `item_rows`, with the popularity prior."""
        ...


class TwoSourceRetrieval:
    """Index and memory. Stability: internal."""

    def __init__(
        self,
        *,
        vectors: FloatRows,
        index: Index,
        memory: Links | None,
        counts: FloatArray,
        blend: Blend,
        scale: float,
        rows: Rows | None = None,
    ) -> None:
        """Join the sources.

        Args:
            vectors: (N, D) item vectors.
            index: of `vectors`, by inner product.
            memory: links between items, or None = the deep score retrieves alone.
            counts: (N,) users an item has.
            blend: how the deep score joins.
            scale: of the deep score.
            rows: sums and sets; None = by NumPy.
        """
        self._vectors, self._index, self._memory = vectors, index, memory
        self._prior = popularity_prior(counts)
        self._factor, self._scale = np.float32(blend.retrieval), np.float32(scale)
        self._popular = np.argsort(-counts, kind="stable").astype(np.int64)
        self._rows = rows or PlainRows()

    def grown(
        self, *, vectors: FloatRows, index: Index, memory: Links | None, counts: FloatArray
    ) -> TwoSourceRetrieval:
        """Return the same retrieval over more items, or changed ones; those that joined are the least popular."""
        other = copy.copy(self)
        other._vectors, other._index, other._memory = vectors, index, memory
        joined = np.arange(len(self._prior), len(counts), dtype=np.int64)
        other._prior = np.append(self._prior, popularity_prior(counts[joined]))
        other._popular = np.append(self._popular, joined)
        return other

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        """See `Retrieval`."""
        by_query = request.context.query_vector is not None
        if self._memory is None or by_query:
            return self._by_deep_score(request, user, k)
        items, strengths = self._memory.links_of(np.unique(request.history.item_rows))
        with self._rows.summed(items, strengths, len(self._prior)) as (touched, sums):
            rows = self._union(touched, sums, request, user, k)
            linked = sums[rows] + self._prior[rows]
        deep = self._deep(rows, user)
        scores = linked + self._factor * deep
        best = _best(scores, k)
        return Candidates(rows[best], scores[best], deep[best], linked[best])

    def remember(self, request: Request, k: int) -> Candidates:
        """See `Retrieval`.

        Raises:
            ServingError: when there is no memory.
        """
        if self._memory is None:
            raise ServingError("this model has no memory to answer from; train and serve one that has")
        items, strengths = self._memory.links_of(np.unique(request.history.item_rows))
        if not len(items):
            return _NOTHING
        with self._rows.summed(items, strengths, len(self._prior)) as (touched, sums):
            parts = np.concatenate([touched, *self._fill(touched, request, k)])
            rows = self._rows.kept(parts, request.exclude, len(self._prior))
            linked = sums[rows] + self._prior[rows]
        best = _best(linked, k)
        return Candidates(rows[best], linked[best], np.zeros(len(best), np.float32), linked[best])

    def linked(self, history: IntArray, item_rows: IntArray) -> FloatArray:
        """See `Retrieval`."""
        prior = self._prior[item_rows]
        if self._memory is None or not len(history):
            return prior
        items, strengths = self._memory.links_of(np.unique(history))
        with self._rows.summed(items, strengths, len(self._prior)) as (_, sums):
            found: FloatArray = sums[item_rows] + prior
        return found

    def _by_deep_score(self, request: Request, user: FloatArray, k: int) -> Candidates:
        found = self._index.search(user[None], k, exclude=[request.exclude])
        rows = found.item_rows[0][found.item_rows[0] >= 0]
        deep = self._deep(rows, user)
        best = _best(deep, k)
        return Candidates(rows[best], deep[best], deep[best], np.zeros(len(rows), np.float32))

    def _union(self, touched: IntArray, sums: FloatArray, request: Request, user: FloatArray, k: int) -> IntArray:
        """The distinct rows among which the best `k` are."""
        if len(touched) > _LINKED and self._factor:
            touched = touched[_greatest(sums[touched], _LINKED + len(request.exclude))]
        # An unlinked item can only come first by its deep score, which the index finds, or where few are linked.
        parts = [touched, *self._fill(touched, request, k)]
        if self._factor:
            parts.append(self._index.search(user[None], k, exclude=[request.exclude]).item_rows[0])
        return self._rows.kept(np.concatenate(parts), request.exclude, len(self._prior))

    def _fill(self, touched: IntArray, request: Request, k: int) -> list[IntArray]:
        """The most popular rows, where so few are linked that one of those may come in."""
        enough = len(touched) >= _ENOUGH * k + len(request.exclude)
        return [] if enough else [self._first_popular(request.exclude, k)]

    def _first_popular(self, exclude: IntArray, k: int) -> IntArray:
        """The `k` most popular rows that are not excluded, and maybe a few that are."""
        if len(exclude) <= k:
            return self._popular[: k + len(exclude)]
        allowed = np.ones(len(self._popular), np.bool_)
        allowed[exclude] = False
        return self._popular[allowed[self._popular]][:k]

    def _deep(self, rows: IntArray, user: FloatArray) -> FloatArray:
        scores: FloatArray = (self._vectors[rows] @ user) * self._scale
        return scores


_NOTHING = Candidates(np.zeros(0, np.int64), *(np.zeros(0, np.float32) for _ in range(3)))


def _greatest(scores: FloatArray, k: int) -> IntArray:
    """Places of the `k` greatest scores, in no order."""
    if len(scores) <= k:
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - k)[len(scores) - k :]


def _best(scores: FloatArray, k: int) -> IntArray:
    """Places of the `k` greatest scores, greatest first."""
    kept = _greatest(scores, k)
    return kept[np.argsort(-scores[kept], kind="stable")]
