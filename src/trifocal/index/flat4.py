"""Every item as 4 bits for two dimensions, all of them read: sixteen times less memory to pass through than float32.

Product quantisation with 16 centroids, whose tables fit the registers of the processor ("fast scan": Andre, Kermarrec,
Le Scouarnec, "Cache locality is not enough", VLDB 2015). The codes are rough, so that a multiple of k is compared by
the float vectors; it still reads a hundred thousand items in a fraction of a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trifocal.errors import ConfigError
from trifocal.index.coded import CodedIndex, Codes, CodeSearch, SearchPlan, blocks
from trifocal.index.config import IndexKind
from trifocal.index.faiss_package import load_faiss
from trifocal.types import FloatArray, IntArray, Rankings

__all__ = ["FLAT4_LEAST", "Flat4Index", "can_be_flat4"]

FLAT4_LEAST = 1_000
"""Items from which centroids can be learned."""

_BITS, _DIMENSIONS_A_CODE = 4, 2
# Vectors that centroids are learned from; 16 need no more.
_LEARNED_FROM = 50_000


def can_be_flat4(n_items: int, width: int) -> bool:
    """Return whether vectors of this number and width can be coded."""
    return n_items >= FLAT4_LEAST and width % _DIMENSIONS_A_CODE == 0


class Flat4Index:
    """Flat search over 4-bit product codes. Stability: caller."""

    kind: IndexKind = "flat4"

    def __init__(self, vectors: FloatArray, plan: SearchPlan | None = None, *, codes: Codes | None = None) -> None:
        """Take the item vectors; code them unless `codes` is given.

        Args:
            vectors: (N, D) float32, N at least `FLAT4_LEAST`, D even; may be memory-mapped; not copied.
            plan: how it is searched; the breadth is no matter.
            codes: the faiss index of these vectors, as `codes` of another index or as read from a file.

        Raises:
            ConfigError: when faiss is missing, or there are too few vectors or an odd number of columns.
            DataError: when a vector holds a value that is no number.
        """
        self.plan = plan or SearchPlan(rescoring=4)
        self.codes = _coded(vectors, self.plan) if codes is None else codes
        self.vectors = vectors
        # Fast scan knows no filter: more is asked for, and what is excluded is left out afterwards.
        self._search = CodeSearch(vectors, self.codes, None, self.plan)

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
        return Flat4Index(self.vectors, plan, codes=self.codes)


def _coded(vectors: FloatArray, plan: SearchPlan) -> Codes:
    width = vectors.shape[1] if vectors.ndim == 2 else 0
    if not can_be_flat4(len(vectors), width):
        raise ConfigError(
            f"the index kind 'flat4' needs {FLAT4_LEAST:,} items or more and an even width, met were "
            f"{len(vectors):,} of width {width}; use 'flat8' or 'exact'"
        )
    faiss = load_faiss()
    faiss.omp_set_num_threads(plan.threads)
    codes = faiss.IndexPQFastScan(width, width // _DIMENSIONS_A_CODE, _BITS, faiss.METRIC_INNER_PRODUCT)
    drawn = np.random.default_rng(plan.seed).permutation(len(vectors))[:_LEARNED_FROM]
    codes.train(np.concatenate(list(blocks(vectors[np.sort(drawn)]))))
    for block in blocks(vectors):
        codes.add(block)
    return codes
