"""How many of the exact answers an index finds. Pure: an index, vectors and queries in, a share out."""

from __future__ import annotations

import numpy as np

from trifocal.ports import Index
from trifocal.types import FloatArray, Rankings

__all__ = ["recall_at_k"]

# Products of float32 vectors summed in another order differ by about this share of the greatest one.
_ROUNDING = 1e-6


def recall_at_k(index: Index, vectors: FloatArray, queries: FloatArray, exact: Rankings) -> float:
    """Return the mean share of the `k` places that an item as good as the exact one of that place fills.

    An item counts where its inner product reaches the least of the exact list, so that of equal items any will do.

    Args:
        index: searched for lists as long as the exact ones.
        vectors: (N, D) the items' float vectors.
        queries: (B, D), B at least 1.
        exact: the true lists (B, K) of the queries.

    >>> from trifocal.index.exact import ExactIndex
    >>> items = np.array([[4], [3], [2], [1]], np.float32)
    >>> one = np.ones((1, 1), np.float32)
    >>> truth = ExactIndex(items).search(one, 2)
    >>> recall_at_k(ExactIndex(items), items, one, truth)
    1.0
    >>> recall_at_k(ExactIndex(items[[0, 2, 3]]), items[[0, 2, 3]], one, truth)
    0.5
    """
    found = index.search(queries, exact.item_rows.shape[1])
    shares = []
    for query, rows, true_rows, true_scores in zip(
        queries, found.item_rows, exact.item_rows, exact.scores, strict=True
    ):
        wanted = true_scores[true_rows >= 0]
        products = np.asarray(vectors[rows[rows >= 0]], dtype=np.float32) @ query
        limit = wanted[-1] - _ROUNDING * np.abs(wanted).max()
        shares.append(np.count_nonzero(products >= limit) / len(wanted))
    return float(np.mean(shares))
