"""Search in compressed codes, then by the float vectors: what flat 8-bit, HNSW and IVF-PQ have in common.

```
query ─► codes: the n nearest that are allowed ─► their float vectors: inner products ─► best k
            │ few allowed, or a short list
            └──────────────────────────────────► every allowed float vector
```

Nothing is changed after it was built, so any number of threads may search at once.

Letters: B queries, N items, D embedding, K answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from trifocal.errors import ConfigError, DataError
from trifocal.index.best import best_of, check_table, checked_queries, joined
from trifocal.index.config import IndexKind
from trifocal.index.exact import ExactIndex
from trifocal.index.faiss_package import load_faiss
from trifocal.ports import Index
from trifocal.ranking import tie_key
from trifocal.types import BoolArray, FloatArray, IntArray, Rankings, VectorTable

__all__ = ["CodeSearch", "CodedIndex", "Codes", "SearchParameters", "SearchPlan", "blocks", "bounds"]

# A faiss index and what its search is told; faiss has no types of its own.
Codes = Any
SearchParameters = Callable[[int, int, Any], Any]

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class SearchPlan:
    """How an index of codes is searched.

    Attributes:
        breadth: of HNSW the candidates in view (`efSearch`), of IVF the lists read (`nprobe`); no matter to flat 8-bit.
        rescoring: candidates compared by their float vectors, as a multiple of k; 0 = none: scores and order are
            those of the codes.
        exact_up_to: allowed items up to which every float vector is compared.
        threads: of building and of one search.
        seed: of the order among equal scores, and of what is drawn when codes are learned.
    """

    breadth: int = 256
    rescoring: int = 2
    exact_up_to: int = 20_000
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.breadth, self.threads) < 1 or min(self.rescoring, self.exact_up_to, self.seed) < 0:
            raise ConfigError(f"{self} cannot be followed: breadth and threads are 1 or more, the others 0 or more")


class CodedIndex(Index, Protocol):
    """An index over codes, as building and storing see it. Stability: internal."""

    @property
    def kind(self) -> IndexKind:
        """The name in settings and files."""
        ...

    @property
    def vectors(self) -> VectorTable:
        """The float vectors (N, D)."""
        ...

    @property
    def codes(self) -> Codes:
        """The faiss index."""
        ...

    @property
    def plan(self) -> SearchPlan:
        """How it is searched."""
        ...

    @property
    def code_bytes(self) -> int:
        """Memory of codes and graph, beside the float vectors."""
        ...

    def with_plan(self, plan: SearchPlan) -> CodedIndex:
        """Return the same index over the same codes, searched by `plan`."""
        ...


class CodeSearch:
    """Candidates from codes, answers from float vectors. Stability: internal."""

    def __init__(
        self, vectors: VectorTable, codes: Codes, parameters: SearchParameters | None, plan: SearchPlan
    ) -> None:
        """Take float vectors and codes of the same N items.

        Args:
            vectors: (N, D) float32, may be memory-mapped; not copied.
            codes: the faiss index of the N items.
            parameters: breadth, candidates and selector -> what `codes.search` is told; None = it knows no filter.
            plan: how it is searched.
        """
        self._vectors, self._codes, self._parameters, self._plan = vectors, codes, parameters, plan
        self._keys = tie_key(len(vectors), plan.seed)
        self._exact = ExactIndex(vectors, seed=plan.seed)

    def search(self, vectors: FloatArray, k: int, exclude: Sequence[IntArray]) -> Rankings:
        """Return what `Index.search` promises; a list is as full as the exact one."""
        queries = checked_queries(vectors, k, exclude, self._vectors.shape[1])
        if not any(len(rows) for rows in exclude):
            return self._search_together(queries, k, None, len(self._vectors))
        return joined(
            [self._search_without(query[None], k, rows) for query, rows in zip(queries, exclude, strict=True)], k
        )

    def _search_without(self, query: FloatArray, k: int, excluded: IntArray) -> Rankings:
        allowed = np.ones(len(self._vectors), np.bool_)
        allowed[excluded[(excluded >= 0) & (excluded < len(allowed))]] = False
        n_allowed = int(np.count_nonzero(allowed))
        if n_allowed <= max(self._plan.exact_up_to, k):
            return self._search_among(query, k, np.flatnonzero(allowed))
        return self._search_together(query, k, allowed, n_allowed)

    def _search_among(self, query: FloatArray, k: int, rows: IntArray) -> Rankings:
        return best_of(rows, self._products(rows, query[0]), self._keys[rows], k)

    def _search_together(self, queries: FloatArray, k: int, allowed: BoolArray | None, n_allowed: int) -> Rankings:
        if not len(queries) or n_allowed <= max(self._plan.exact_up_to, k):
            return self._exact.search(queries, k)
        rows, scores = self._candidates(queries, k, allowed, n_allowed)
        found = joined([self._best(*candidates, k) for candidates in zip(queries, rows, scores, strict=True)], k)
        short = np.flatnonzero(found.item_rows[:, -1] < 0)
        if len(short):
            excluded = [] if allowed is None else [np.flatnonzero(~allowed)] * len(short)
            full = self._exact.search(queries[short], k, exclude=excluded)
            found.item_rows[short], found.scores[short] = full.item_rows, full.scores
        return found

    def _candidates(
        self, queries: FloatArray, k: int, allowed: BoolArray | None, n_allowed: int
    ) -> tuple[IntArray, FloatArray]:
        faiss = load_faiss()
        wanted = min(k * max(self._plan.rescoring, 1), n_allowed)
        if self._parameters is None:
            return self._filtered_after(queries, wanted, allowed, n_allowed)
        # A filter that lets through a share s leaves that share of what is met: 1 / s as much must be met.
        breadth = -(-self._plan.breadth * len(self._vectors) // n_allowed)
        bits = None if allowed is None else np.packbits(allowed, bitorder="little")
        selector = None if bits is None else faiss.IDSelectorBitmap(bits)
        # Of the calling thread only, so that it must be said in each.
        faiss.omp_set_num_threads(self._plan.threads)
        scores, rows = self._codes.search(queries, wanted, params=self._parameters(breadth, wanted, selector))
        return rows, scores

    def _filtered_after(
        self, queries: FloatArray, wanted: int, allowed: BoolArray | None, n_allowed: int
    ) -> tuple[IntArray, FloatArray]:
        """Ask for more than is wanted, and leave out what is excluded; what then comes out short is found exactly."""
        hidden = len(self._vectors) - n_allowed
        # Every hidden row may come first; where many are hidden, twice as many as by chance.
        more = min(hidden, 2 * wanted * hidden // n_allowed + 64)
        load_faiss().omp_set_num_threads(self._plan.threads)
        scores, rows = self._codes.search(queries, wanted + more)
        if allowed is not None:
            rows[~allowed[rows]] = -1
        return rows, scores

    def _best(self, query: FloatArray, rows: IntArray, scores: FloatArray, k: int) -> Rankings:
        met = rows >= 0
        rows, scores = rows[met], scores[met]
        if self._plan.rescoring:
            scores = self._products(rows, query)
        return best_of(rows, scores, self._keys[rows], k)

    def _products(self, rows: IntArray, query: FloatArray) -> FloatArray:
        products: FloatArray = np.asarray(self._vectors[rows], dtype=np.float32) @ query
        return products


def blocks(vectors: VectorTable) -> Iterator[FloatArray]:
    """Return the rows of `vectors` (N, D) some at a time, as float32 that faiss can read.

    Raises:
        ConfigError: when `vectors` is no table with a row.
        DataError: when a value is no number.
    """
    check_table(vectors)
    if not len(vectors):
        raise ConfigError("there is no item vector; only the index kind 'exact' takes an empty catalogue")
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        block = np.ascontiguousarray(vectors[start : start + _ROWS_AT_ONCE], dtype=np.float32)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise DataError(f"the item vector of row {row} holds NaN or infinity; encode that item again")
        yield block


def bounds(vectors: VectorTable) -> FloatArray:
    """Return the least and the greatest value of each column (2, D), in the memory of one block.

    They are all that an 8-bit scalar quantiser learns from its training vectors.
    """
    extremes = np.stack([(block.min(axis=0), block.max(axis=0)) for block in blocks(vectors)])
    return np.stack([extremes[:, 0].min(axis=0), extremes[:, 1].max(axis=0)])
