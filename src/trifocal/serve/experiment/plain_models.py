"""Models that need no training worth the name, as engines: what a new one is measured against on live shoppers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from trifocal.baselines import AlsRecommender, AlsSettings, PopularityRecommender
from trifocal.index import normalised
from trifocal.ports import Recommender
from trifocal.ranking import top_k
from trifocal.serve.engines import WholeEngine
from trifocal.types import FloatArray, FloatRows, IntArray, Rankings, Request

__all__ = ["als_engine", "popular_engine"]


class _WithVectors:
    """A recommender and vectors by which its items are alike."""

    def __init__(self, recommender: Recommender, vectors: FloatArray) -> None:
        self._recommender = recommender
        self._unit = normalised(vectors)

    @property
    def name(self) -> str:
        return self._recommender.name

    @property
    def item_vectors(self) -> FloatRows:
        return self._unit

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        return self._recommender.recommend(requests, k)

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        barred = np.append(np.zeros(0, np.int64) if exclude is None else exclude, item_row)
        return top_k((self._unit @ self._unit[item_row])[None], k, exclude=[barred])


def als_engine(taken: csr_matrix, settings: AlsSettings) -> WholeEngine:
    """Return matrix factorisation, fitted to `taken` (users x items) on one core; the same each time.

    Raises:
        DataError: when nobody took anything.
    """
    recommender = AlsRecommender.fit(taken, settings, num_threads=1)
    return WholeEngine(_WithVectors(recommender, recommender.item_factors))


def popular_engine(popularity: FloatArray, vectors: FloatArray) -> WholeEngine:
    """Return the most popular items for everybody.

    Args:
        popularity: (N,) the greater, the more popular.
        vectors: (N, D) by which a list is made less alike where that is asked for.
    """
    return WholeEngine(_WithVectors(PopularityRecommender(popularity), vectors))
