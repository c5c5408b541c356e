"""A recommender that needs nothing but vectors: the plain twin of the model, and a bundle without weights.

A shopper's vector is the mean of the last items' vectors, each normalised. No file, no id, no training.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from trifocal.errors import NotFoundError, ServingError
from trifocal.index.exact import ExactIndex
from trifocal.index.growing import GrowingRows
from trifocal.index.live import LiveIndex
from trifocal.types import AnyFloats, FloatArray, FloatRows, IntArray, Rankings, Request

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
        items, texts = normalised(item_vectors), normalised(text_vectors)
        self.item_vectors: FloatRows = items
        self._item_width, self._text_width = items.shape[1], texts.shape[1]
        self._items_index, self._texts_index, self._joint_index = (
            LiveIndex(ExactIndex(vectors, seed=seed), width=vectors.shape[1], seed=seed)
            for vectors in (items, texts, np.concatenate([items, texts], axis=1))
        )
        self._history_length, self._query_weight = history_length, query_weight

    def with_item(self, row: int, item_vector: FloatArray, text_vector: FloatArray) -> NearestRecommender:
        """Return the recommender with an item behind all others, or in place of the one of `row`; this one stays."""
        item, text = normalised(item_vector), normalised(text_vector)
        other = self._apart()
        other.item_vectors = GrowingRows.of(self.item_vectors).with_row(row, item)
        for index, vector in zip(other._indexes(), (item, text, np.concatenate([item, text])), strict=True):
            if row == len(index):
                index.add(vector[None])
            else:
                index.replace(row, vector)
        return other

    def without(self, row: int) -> NearestRecommender:
        """Return the recommender that never answers with the item of `row`."""
        other = self._apart()
        for index in other._indexes():
            index.remove(np.array([row]))
        return other

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
        return self._items_index.search(self.item_vectors[itself], k, exclude=[left_out])

    def _query(self, request: Request) -> tuple[FloatArray, FloatArray]:
        rows = request.history.last(self._history_length).item_rows
        taste = self.item_vectors[rows].mean(axis=0) if len(rows) else np.zeros(self._item_width, np.float32)
        wish = request.context.query_vector
        if wish is None:
            return taste, np.zeros(self._text_width, np.float32)
        self._check_width(wish)
        return taste, self._query_weight * normalised(wish[None])[0]

    def _check_width(self, query_vector: FloatArray) -> None:
        if query_vector.shape != (self._text_width,):
            raise ServingError(
                f"the query vector has shape {query_vector.shape}, these texts need {(self._text_width,)}"
            )

    def _apart(self) -> NearestRecommender:
        """A copy whose indexes can be changed."""
        other = copy.copy(self)
        other._items_index, other._texts_index, other._joint_index = (index.snapshot() for index in self._indexes())
        return other

    def _indexes(self) -> tuple[LiveIndex, LiveIndex, LiveIndex]:
        return self._items_index, self._texts_index, self._joint_index


def normalised(vectors: AnyFloats) -> FloatArray:
    """Return `vectors` (..., D) as float32 of length 1; a zero vector stays zero.

    >>> normalised(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    floats = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(floats, axis=-1, keepdims=True)
    unit: FloatArray = np.divide(floats, lengths, out=np.zeros_like(floats), where=lengths > 0)
    return unit


def _only(exclude: IntArray | None) -> list[IntArray]:
    return [] if exclude is None else [exclude]
