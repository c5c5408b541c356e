"""Items in lists by their nearest centre, each as half a byte a dimension: the smallest index, for the most items.

Inverted lists with product quantisation: Jegou, Douze & Schmid, "Product quantization for nearest neighbor search"
(2011).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from trifocal.index.coded import CodedIndex, Codes, CodeSearch, SearchPlan, blocks
from trifocal.index.config import IndexKind
from trifocal.index.faiss_package import load_faiss
from trifocal.types import FloatArray, IntArray, Rankings

__all__ = ["IvfPqIndex", "list_bytes"]

_BITS = 8
_CENTRES = 1 << _BITS
_FLOAT_BYTES = 4
_ROW_BYTES = 8
# Fewest vectors a list that faiss learns without complaint, and as many more as are worth their time.
_LEAST_IN_LIST, _SAMPLE_A_LIST = 39, 64


class IvfPqIndex:
    """Search in the nearest lists. Stability: caller."""

    kind: IndexKind = "ivf_pq"

    def __init__(self, vectors: FloatArray, plan: SearchPlan | None = None, *, codes: Codes | None = None) -> None:
        """Take the item vectors; learn lists and codes unless `codes` is given.

        Args:
            vectors: (N, D) float32, N at least 1, may be memory-mapped; not copied.
            plan: how it is searched; codes this small need a rescoring of 4 or more.
            codes: the faiss index of these vectors, as `codes` of another index or as read from a file.

        Raises:
            ConfigError: when faiss is missing or there is no vector.
            DataError: when a vector holds a value that is no number.
        """
        self.plan = plan or SearchPlan(breadth=64, rescoring=8)
        self.codes = _listed(vectors, self.plan) if codes is None else codes
        self.vectors = vectors
        self._search = CodeSearch(vectors, self.codes, self._parameters, self.plan)

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def code_bytes(self) -> int:
        """Memory of lists, codes and centres."""
        codes = self.codes
        centres = (codes.nlist + _CENTRES) * codes.d * _FLOAT_BYTES
        return int(codes.ntotal * (codes.code_size + _ROW_BYTES) + centres)

    def search(self, vectors: FloatArray, k: int, *, exclude: Sequence[IntArray] = ()) -> Rankings:
        """Return the `k` nearest items that were found for each query, never an excluded one; see `ExactIndex`."""
        return self._search.search(vectors, k, exclude)

    def with_plan(self, plan: SearchPlan) -> CodedIndex:
        """Return the same index over the same codes, searched by `plan`."""
        return IvfPqIndex(self.vectors, plan, codes=self.codes)

    def _parameters(self, breadth: int, wanted: int, selector: Any) -> Any:
        return load_faiss().SearchParametersIVF(nprobe=min(breadth, self.codes.nlist), sel=selector)


def list_bytes(n_items: int, width: int) -> int:
    """Return how much memory lists, codes and centres of `n_items` need."""
    centres = (_n_lists(n_items) + _CENTRES) * width * _FLOAT_BYTES
    return n_items * (_code_size(width) + _ROW_BYTES) + centres


def _listed(vectors: FloatArray, plan: SearchPlan) -> Codes:
    faiss = load_faiss()
    faiss.omp_set_num_threads(plan.threads)
    # All of them are looked at before a sample is learned from.
    for _ in blocks(vectors):
        pass
    n_items, width = vectors.shape
    centres, n_lists = faiss.IndexFlatIP(width), _n_lists(n_items)
    codes = faiss.IndexIVFPQ(centres, width, n_lists, _code_size(width), _BITS, faiss.METRIC_INNER_PRODUCT)
    # Fewer vectors than centres are repeated below; faiss would complain of that on standard error.
    for clustering in (codes.cp, codes.pq.cp):
        clustering.seed, clustering.min_points_per_centroid = plan.seed, 1
    codes.train(_sample(vectors, n_lists, plan.seed))
    for block in blocks(vectors):
        codes.add(block)
    return codes


def _sample(vectors: FloatArray, n_lists: int, seed: int) -> FloatArray:
    """Return the vectors to learn from, at least as many as a code has centres: few vectors come more than once."""
    size = min(len(vectors), max(_SAMPLE_A_LIST * n_lists, _LEAST_IN_LIST * _CENTRES))
    rows = np.sort(np.random.default_rng(seed).choice(len(vectors), size, replace=False))
    return np.ascontiguousarray(vectors[np.resize(rows, max(size, _CENTRES))], dtype=np.float32)


def _n_lists(n_items: int) -> int:
    """Return 4 * sqrt(N), the least that faiss's guidelines name, but no list of too few vectors.

    https://github.com/facebookresearch/faiss/wiki/Guidelines-to-choose-an-index
    """
    return max(min(math.isqrt(16 * n_items), n_items // _LEAST_IN_LIST), 1)


def _code_size(width: int) -> int:
    """Return the bytes of a code: one for two dimensions, or for more where the width is odd.

    >>> _code_size(128), _code_size(9), _code_size(7)
    (64, 3, 1)
    """
    return max(parts for parts in range(1, max(width // 2, 1) + 1) if width % parts == 0)
