"""Matrix factorisation for implicit feedback, fitted by `implicit`, answering from a request's history alone.

Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008; settings matter more than
the model (Rendle et al., arXiv 2110.14037), hence `tune_als`.

Letters: N items, D factors, L distinct items of a history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from trifocal.errors import ConfigError, DataError
from trifocal.ports import Validator
from trifocal.progress import progress_bar
from trifocal.ranking import top_k
from trifocal.types import FloatArray, IntArray, Rankings, Request

__all__ = ["DEFAULT_GRID", "AlsRecommender", "AlsSettings", "tune_als"]


@dataclass(frozen=True)
class AlsSettings:
    """What `implicit` is told; the defaults are near the best on hm-random.

    Attributes:
        factors: D, numbers a user or item has.
        regularization: weight of the squared length of each vector.
        alpha: confidence of a cell that was seen; one that was not has 1.
        iterations: passes over users and items.
    """

    factors: int = 128
    regularization: float = 200.0
    alpha: float = 100.0
    iterations: int = 15

    def __post_init__(self) -> None:
        if min(self.factors, self.regularization, self.alpha, self.iterations) <= 0:
            raise ConfigError(f"{self} holds a number that is not above 0; raise it")


# 12 trials, within the 20 of PROTOCOL.md. Measured on hm-random, 128 factors, validation nDCG@10 along the pairs:
# .0775, .0822, .0822, .0833, .0832, .0820 (Recall@20 .1770 to .2007, still rising at the end).
DEFAULT_GRID = tuple(
    AlsSettings(factors, regularization, alpha)
    for factors in (64, 128)
    for regularization, alpha in ((1.0, 5.0), (10.0, 20.0), (30.0, 20.0), (100.0, 50.0), (200.0, 100.0), (300.0, 150.0))
)


@dataclass(frozen=True)
class AlsRecommender:
    """Ranks by user vector times item vector; the user vector is solved from the request's history. Stability: caller.

    A user never seen in training is so served like any other. A request without history gets the popularity order.

    Attributes:
        item_factors: (N, D) float32.
        popularity: (N,) float32, users an item has; used where there is no history.
        settings: as fitted.
        name: as it stands in tables.
        seed: of the fit and of the order among equal scores.
        solved: (N, D) float64, (Y'Y + regularization I)^-1 applied to each item vector.
    """

    item_factors: FloatArray
    popularity: FloatArray
    settings: AlsSettings
    solved: npt.NDArray[np.float64]
    name: str = "als"
    seed: int = 0

    @classmethod
    def fit(
        cls, matrix: csr_matrix, settings: AlsSettings | None = None, *, seed: int = 0, num_threads: int = 0
    ) -> AlsRecommender:
        """Return the recommender fitted to the binary `matrix` (users x items); the same for the same seed.

        Args:
            matrix: float32, users x items; a cell above 0 = taken.
            settings: None = the defaults.
            seed: of the initial vectors.
            num_threads: 0 = one a core.

        Raises:
            DataError: when the matrix has no entry.
        """
        if matrix.nnz == 0:
            raise DataError(
                f"the matrix of {matrix.shape[0]} users and {matrix.shape[1]} items is empty; ALS needs events"
            )
        chosen = settings or AlsSettings()
        # One BLAS thread: implicit runs its own threads, and warns of, and suffers from, a second pool.
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=chosen.factors,
                regularization=chosen.regularization,
                alpha=chosen.alpha,
                iterations=chosen.iterations,
                num_threads=num_threads,
                random_state=seed,
            )
            model.fit(matrix.sign().astype(np.float32), show_progress=False)
        popularity = np.asarray(matrix.sign().sum(axis=0), dtype=np.float32).ravel()
        return cls.of_factors(model.item_factors, popularity, chosen, seed=seed)

    @classmethod
    def of_factors(
        cls, item_factors: FloatArray, popularity: FloatArray, settings: AlsSettings, *, seed: int = 0
    ) -> AlsRecommender:
        """Return the recommender of these item vectors (N, D)."""
        exact = item_factors.astype(np.float64)
        gram = exact.T @ exact + settings.regularization * np.eye(exact.shape[1])
        solved = np.linalg.solve(gram, exact.T).T
        return cls(item_factors, popularity, settings, np.ascontiguousarray(solved), seed=seed)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        vectors = np.stack([self.user_vector(request.history.item_rows) for request in requests])
        scores = vectors @ self.item_factors.T
        cold = [row for row, request in enumerate(requests) if len(request.history) == 0]
        scores[cold] = self.popularity
        return top_k(scores, k, exclude=[request.exclude for request in requests], seed=self.seed)

    def user_vector(self, item_rows: IntArray) -> FloatArray:
        """Return the (D,) vector that ALS would give a user who took `item_rows` (repeats count once).

        With Y the item vectors, G = Y'Y + regularization I and H the L rows of the history, ALS solves
        (G + (alpha - 1) H'H) u = alpha H'1. By the push-through identity u = alpha G^-1 H' w with
        (I + (alpha - 1) H G^-1 H') w = 1: L equations, where the first form has D.
        """
        rows = np.unique(item_rows)
        solved = self.solved[rows]
        inner = self.item_factors[rows].astype(np.float64) @ solved.T
        weights = np.linalg.solve(np.eye(len(rows)) + (self.settings.alpha - 1) * inner, np.ones(len(rows)))
        return (self.settings.alpha * weights @ solved).astype(np.float32)


def tune_als(
    matrix: csr_matrix,
    validator: Validator,
    *,
    grid: Sequence[AlsSettings] = DEFAULT_GRID,
    figure: str = "ndcg@10",
    seed: int = 0,
    num_threads: int = 0,
) -> AlsRecommender:
    """Return the recommender of `grid` with the greatest validation `figure`; of equals the first.

    Its `settings` serve for the fit on train + validation.

    Raises:
        ConfigError: when the grid is empty or the validator does not give `figure`.
    """
    if not grid:
        raise ConfigError("the grid of ALS settings is empty; give at least one")
    trials: list[tuple[float, AlsRecommender]] = []
    with progress_bar(f"tuning ALS, {len(grid)} trials", len(grid)) as bar:
        for settings in grid:
            candidate = AlsRecommender.fit(matrix, settings, seed=seed, num_threads=num_threads)
            figures = validator(candidate)
            if figure not in figures:
                raise ConfigError(f"the validator gives no {figure!r}; choose one of {', '.join(sorted(figures))}")
            trials.append((figures[figure], candidate))
            bar.note(f"best {figure} {max(value for value, _ in trials):.4f}")
            bar.advance()
    return max(trials, key=lambda trial: trial[0])[1]
