"""A graph over 8-bit codes that a search walks: time grows with the logarithm of the number of items.

Hierarchical navigable small world graphs: Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search"
(2016), by inner product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trifocal.index.coded import CodedIndex, Codes, CodeSearch, SearchPlan, blocks, bounds
from trifocal.index.config import IndexKind
from trifocal.index.faiss_package import load_faiss
from trifocal.types import FloatArray, IntArray, Rankings

__all__ = ["HnswIndex", "graph_bytes"]

_LINK_BYTES = 4
# An offset of 8 bytes and a level of 4 an item.
_ITEM_BYTES = 12


class HnswIndex:
    """Search along a graph. Stability: caller."""

    kind: IndexKind = "hnsw"

    def __init__(
        self,
        vectors: FloatArray,
        plan: SearchPlan | None = None,
        *,
        links: int = 32,
        graph_breadth: int = 100,
        codes: Codes | None = None,
    ) -> None:
        """Take the item vectors; build the graph unless `codes` is given.

        Args:
            vectors: (N, D) float32, N at least 1, may be memory-mapped; not copied.
            plan: how it is searched.
            links: an item, in each layer but the lowest, which has twice as many.
            graph_breadth: candidates in view while an item joins the graph (`efConstruction`).
            codes: the faiss index of these vectors, as `codes` of another index or as read from a file.

        Raises:
            ConfigError: when faiss is missing or there is no vector.
            DataError: when a vector holds a value that is no number.
        """
        self.plan = plan or SearchPlan()
        self.codes = _linked(vectors, self.plan, links, graph_breadth) if codes is None else codes
        self.vectors = vectors
        self._search = CodeSearch(vectors, self.codes, _parameters, self.plan)

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def code_bytes(self) -> int:
        """Memory of codes and graph."""
        codes = self.codes
        return int(codes.ntotal * (codes.d + _ITEM_BYTES) + codes.hnsw.neighbors.size() * _LINK_BYTES)

    def search(self, vectors: FloatArray, k: int, *, exclude: Sequence[IntArray] = ()) -> Rankings:
        """Return the `k` nearest items that were found for each query, never an excluded one; see `ExactIndex`."""
        return self._search.search(vectors, k, exclude)

    def with_plan(self, plan: SearchPlan) -> CodedIndex:
        """Return the same index over the same codes, searched by `plan`."""
        return HnswIndex(self.vectors, plan, codes=self.codes)


def graph_bytes(n_items: int, width: int, links: int) -> int:
    """Return about how much memory the codes and the graph of `n_items` need.

    An item has 2 * links in the lowest layer and is in 1 / (links - 1) further layers in the mean.

    >>> graph_bytes(100, 10, 5)
    6700
    """
    links_an_item = 2 * links + links / (links - 1)
    return int(n_items * (width + _ITEM_BYTES + links_an_item * _LINK_BYTES))


def _linked(vectors: FloatArray, plan: SearchPlan, links: int, graph_breadth: int) -> Codes:
    faiss = load_faiss()
    faiss.omp_set_num_threads(plan.threads)
    extremes = bounds(vectors)
    kind = faiss.ScalarQuantizer.QT_8bit
    codes = faiss.IndexHNSWSQ(vectors.shape[1], kind, links, faiss.METRIC_INNER_PRODUCT)
    codes.hnsw.efConstruction = graph_breadth
    codes.train(extremes)
    for block in blocks(vectors):
        codes.add(block)
    return codes


def _parameters(breadth: int, wanted: int, selector: Any) -> Any:
    return load_faiss().SearchParametersHNSW(efSearch=max(breadth, wanted), sel=selector)
