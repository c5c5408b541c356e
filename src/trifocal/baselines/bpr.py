"""Matrix factorisation by Bayesian personalised ranking, fitted by `implicit`.

Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.

Letters: U users, N items, D factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from trifocal.errors import ConfigError, DataError
from trifocal.ranking import top_k
from trifocal.types import FloatArray, Rankings, Request, Vocabulary

__all__ = ["BprRecommender", "BprSettings"]


@dataclass(frozen=True)
class BprSettings:
    """What `implicit` is told.

    Attributes:
        factors: D, numbers a user or item has.
        learning_rate: step size.
        regularization: weight of the squared length of each vector.
        iterations: passes over the interactions.
    """

    factors: int = 128
    learning_rate: float = 0.05
    regularization: float = 0.01
    iterations: int = 100

    def __post_init__(self) -> None:
        if min(self.factors, self.learning_rate, self.regularization, self.iterations) <= 0:
            raise ConfigError(f"{self} holds a number that is not above 0; raise it")


@dataclass(frozen=True)
class BprRecommender:
    """Ranks by user vector times item vector, plus the item's bias. Stability: caller.

    BPR has no closed form for a user it has not seen: such a user, and one named nowhere, gets the mean vector of
    their history's items. A request without history gets the popularity order.

    Attributes:
        user_factors: (U, D) float32; the last column is 1, so that the item's bias counts.
        item_factors: (N, D) float32; the last column is the bias.
        users: id of each row of `user_factors`.
        popularity: (N,) float32, users an item has.
        name: as it stands in tables.
        seed: of the fit and of the order among equal scores.
    """

    user_factors: FloatArray
    item_factors: FloatArray
    users: Vocabulary
    popularity: FloatArray
    name: str = "bpr"
    seed: int = 0

    @classmethod
    def fit(
        cls, matrix: csr_matrix, users: Vocabulary, settings: BprSettings | None = None, *, seed: int = 0
    ) -> BprRecommender:
        """Return the recommender fitted to the binary `matrix` (users x items), whose rows are `users`.

        One thread fits it, so that the same seed gives the same model.

        Raises:
            DataError: when the matrix has no entry.
        """
        if matrix.nnz == 0:
            raise DataError(
                f"the matrix of {matrix.shape[0]} users and {matrix.shape[1]} items is empty; BPR needs events"
            )
        chosen = settings or BprSettings()
        with threadpool_limits(1, "blas"):
            model = BayesianPersonalizedRanking(
                factors=chosen.factors,
                learning_rate=chosen.learning_rate,
                regularization=chosen.regularization,
                iterations=chosen.iterations,
                num_threads=1,
                random_state=seed,
            )
            model.fit(matrix.sign().astype(np.float32), show_progress=False)
        popularity = np.asarray(matrix.sign().sum(axis=0), dtype=np.float32).ravel()
        return cls(model.user_factors, model.item_factors, users, popularity, seed=seed)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        scores = np.stack([self._user_vector(request) for request in requests]) @ self.item_factors.T
        cold = [row for row, request in enumerate(requests) if len(request.history) == 0]
        scores[cold] = self.popularity
        return top_k(scores, k, exclude=[request.exclude for request in requests], seed=self.seed)

    def _user_vector(self, request: Request) -> FloatArray:
        row = None if request.user_id is None else self.users.row(request.user_id)
        if row is not None:
            known: FloatArray = self.user_factors[row]
            return known
        rows = np.unique(request.history.item_rows)
        vector = np.zeros(self.item_factors.shape[1], dtype=np.float32)
        if len(rows):
            vector += self.item_factors[rows].mean(axis=0)
        vector[-1] = 1.0
        return vector
