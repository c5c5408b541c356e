"""A recommender that needs nothing but vectors: the plain twin of the model, and a bundle without weights.

A shopper's vector is the mean of the last items' vectors, each normalised. No file, no id, no training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trifocal.errors import NotFoundError, ServingError
from trifocal.index.exact import ExactIndex
from trifocal.types import FloatArray, IntArray, Rankings, Request

__all__ = ["NearestRecommender", "normalised"]


class NearestRecommender:
    """Items nearest to the mean of the last items; to the query, where the history is empty. Stability: caller."""

    name = "nearest"

    def __init__(
        self,
        item_vectors: FloatArray,
        text_vectors: FloatArray,
        *,
        history_length: int = 10,
        query_weight: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Take the vectors of N items.

        Args:
            item_vectors: (N, D), the space of histories and of similar items.
            text_vectors: (N, text width), the space of search queries.
            history_length: how many of the newest events count.
            query_weight: weight of a query's cosine beside the history's.
            seed: of the order among equal scores.
        """
        self.item_vectors = normalised(item_vectors)
        self._texts = normalised(text_vectors)
        self._items_index = ExactIndex(self.item_vectors, seed=seed)
        self._texts_index = ExactIndex(self._texts, seed=seed)
        self._joint_index = ExactIndex(np.concatenate([self.item_vectors, self._texts], axis=1), seed=seed)
        self._history_length, self._query_weight = history_length, query_weight

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` items nearest to each request's history and query; without both, every score is 0."""
        queries = np.stack([np.concatenate(self._query(request)) for request in requests])
        return self._joint_index.search(queries, k, exclude=[request.exclude for request in requests])

    def search(self, query_vector: FloatArray, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items whose text is nearest to `query_vector` (text width,)."""
        self._check_width(query_vector)
        return self._texts_index.search(normalised(query_vector[None]), k, exclude=_only(exclude))

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items nearest to the item of `item_row`, without itself.

        Raises:
            NotFoundError: when there is no such row.
        """
        if not 0 <= item_row < len(self.item_vectors):
            raise NotFoundError(f"item row {item_row} is outside the catalogue of {len(self.item_vectors)} items")
        itself = np.array([item_row], dtype=np.int64)
        left_out = itself if exclude is None else np.concatenate([exclude, itself])
        return self._items_index.search(self.item_vectors[[item_row]], k, exclude=[left_out])

    def _query(self, request: Request) -> tuple[FloatArray, FloatArray]:
        rows = request.history.last(self._history_length).item_rows
        taste = self.item_vectors[rows].mean(axis=0) if len(rows) else np.zeros_like(self.item_vectors[0])
        wish = request.context.query_vector
        if wish is None:
            return taste, np.zeros_like(self._texts[0])
        self._check_width(wish)
        return taste, self._query_weight * normalised(wish[None])[0]

    def _check_width(self, query_vector: FloatArray) -> None:
        if query_vector.shape != self._texts.shape[1:]:
            raise ServingError(
                f"the query vector has shape {query_vector.shape}, these texts need {self._texts.shape[1:]}"
            )


def normalised(vectors: FloatArray) -> FloatArray:
    """Return `vectors` (..., D) as float32 of length 1; a zero vector stays zero.

    >>> normalised(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatArray = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def _only(exclude: IntArray | None) -> list[IntArray]:
    return [] if exclude is None else [exclude]
