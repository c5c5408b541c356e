"""Every item as 8 bits a dimension, all of them read: four times less memory to pass through than float32.

Its only error is rounding, which re-scoring by float vectors takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trifocal.index.coded import CodedIndex, Codes, CodeSearch, SearchPlan, blocks, bounds
from trifocal.index.config import IndexKind
from trifocal.index.faiss_package import load_faiss
from trifocal.types import FloatArray, IntArray, Rankings, VectorTable

__all__ = ["Flat8Index"]


class Flat8Index:
    """Flat search over 8-bit codes. Stability: caller."""

    kind: IndexKind = "flat8"

    def __init__(self, vectors: VectorTable, plan: SearchPlan | None = None, *, codes: Codes | None = None) -> None:
        """Take the item vectors; code them unless `codes` is given.

        Args:
            vectors: (N, D) float32, N at least 1, may be memory-mapped; not copied.
            plan: how it is searched; the breadth is no matter.
            codes: the faiss index of these vectors, as `codes` of another index or as read from a file.

        Raises:
            ConfigError: when faiss is missing or there is no vector.
            DataError: when a vector holds a value that is no number.
        """
        self.plan = plan or SearchPlan()
        self.codes = _coded(vectors, self.plan) if codes is None else codes
        self.vectors = vectors
        self._search = CodeSearch(vectors, self.codes, _parameters, self.plan)

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def code_bytes(self) -> int:
        """Memory of the codes."""
        return int(self.codes.ntotal * self.codes.code_size)

    def search(self, vectors: FloatArray, k: int, *, exclude: Sequence[IntArray] = ()) -> Rankings:
        """Return the `k` nearest items that were found for each query, never an excluded one; see `ExactIndex`."""
        return self._search.search(vectors, k, exclude)

    def with_plan(self, plan: SearchPlan) -> CodedIndex:
        """Return the same index over the same codes, searched by `plan`."""
        return Flat8Index(self.vectors, plan, codes=self.codes)


def _coded(vectors: VectorTable, plan: SearchPlan) -> Codes:
    faiss = load_faiss()
    faiss.omp_set_num_threads(plan.threads)
    # Before the index, which cannot be made of a table without rows or columns.
    extremes = bounds(vectors)
    codes = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    codes.train(extremes)
    for block in blocks(vectors):
        codes.add(block)
    return codes


def _parameters(breadth: int, wanted: int, selector: Any) -> Any:
    return load_faiss().SearchParameters(sel=selector)
