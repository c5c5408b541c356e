"""The most taken items for everybody: of all time, or with older events counting less. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from trifocal.errors import ConfigError, DataError
from trifocal.ranking import top_k
from trifocal.types import FloatArray, History, Rankings, Request

__all__ = ["PopularityRecommender"]

_DAY_S = 86_400


@dataclass(frozen=True)
class PopularityRecommender:
    """Ranks by one score an item, the same for every request. Stability: caller.

    Attributes:
        scores: (N,) float32; the greater, the earlier.
        name: as it stands in tables.
        seed: of the order among equal scores.
    """

    scores: FloatArray
    name: str = "popularity"
    seed: int = 0

    @classmethod
    def fit(cls, matrix: csr_matrix, *, seed: int = 0) -> PopularityRecommender:
        """Return the recommender of the column sums of `matrix` (users x items); of a binary one: users an item has.

        >>> PopularityRecommender.fit(csr_matrix([[1.0, 0.0], [1.0, 1.0]])).scores.tolist()
        [2.0, 1.0]
        """
        return cls(np.asarray(matrix.sum(axis=0), dtype=np.float32).ravel(), seed=seed)

    @classmethod
    def fit_recent(
        cls, histories: Iterable[History], n_items: int, *, half_life_days: float = 7.0, seed: int = 0
    ) -> PopularityRecommender:
        """Return the recommender in which an event counts half as much for each `half_life_days` of its age.

        Age is counted from the newest event of all histories: score = sum over events of 2^(-age / half-life).

        Raises:
            ConfigError: when the half-life is not positive.
            DataError: when no event has a time.
        """
        if half_life_days <= 0:
            raise ConfigError(f"half_life_days is {half_life_days}; it must be above 0")
        given = list(histories)
        rows = np.concatenate([np.zeros(0, np.int64), *(history.item_rows for history in given)])
        times = np.concatenate([np.zeros(0, np.int64), *(history.timestamps_s for history in given)])
        if not (times > 0).any():
            raise DataError(f"none of {len(times)} events has a time; recent popularity needs times")
        age_days = (times.max() - times) / _DAY_S
        weights = np.where(times > 0, np.exp2(-age_days / half_life_days), 0.0)
        counts = np.bincount(rows, weights, minlength=n_items)
        return cls(counts.astype(np.float32), name="recent popularity", seed=seed)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` most popular items that each request does not exclude."""
        scores = np.broadcast_to(self.scores, (len(requests), len(self.scores)))
        return top_k(scores, k, exclude=[request.exclude for request in requests], seed=self.seed)
