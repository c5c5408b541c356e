from __future__ import annotations

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from tests.contracts.recommender import RecommenderContract
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from trifocal.baselines.als import DEFAULT_GRID, AlsRecommender, AlsSettings, tune_als
from trifocal.errors import ConfigError, DataError
from trifocal.evaluate.metrics import user_metrics
from trifocal.ports import Recommender
from trifocal.types import FloatArray, History, Request

SMALL = AlsSettings(factors=4, regularization=0.5, alpha=8.0, iterations=20)
GROUPS, ITEMS_EACH, USERS_EACH = 4, 10, 30


def taste_groups(seed: int = 0) -> FloatArray:
    """Users of 4 groups who each took 5 of their group's 10 items."""
    generator = np.random.default_rng(seed)
    taken = np.zeros((GROUPS * USERS_EACH, GROUPS * ITEMS_EACH), np.float32)
    for user in range(len(taken)):
        group = user // USERS_EACH
        taken[user, group * ITEMS_EACH + generator.choice(ITEMS_EACH, 5, replace=False)] = 1
    return taken


class TestAlsContract(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> AlsRecommender:
        return AlsRecommender.fit(csr_matrix(taste_groups()[:, :6]), SMALL)


def test_quality_has_a_floor_on_taste_groups() -> None:
    taken = taste_groups()
    model = AlsRecommender.fit(csr_matrix(taken), SMALL)
    truths = [
        np.setdiff1d(np.arange(g * ITEMS_EACH, (g + 1) * ITEMS_EACH), np.flatnonzero(line))
        for g, line in zip(np.repeat(np.arange(GROUPS), USERS_EACH), taken, strict=True)
    ]
    requests = [Request(History.of_rows(np.flatnonzero(line)), exclude=np.flatnonzero(line)) for line in taken]
    figures = user_metrics(model.recommend(requests, 10).item_rows, truths)
    # 35 items are left of which 5 are right: chance reaches a Recall@10 of .286.
    assert figures["recall@10"].mean() > 0.99
    assert figures["ndcg@10"].mean() > 0.99


def test_the_user_vector_solves_the_normal_equations() -> None:
    model = AlsRecommender.fit(csr_matrix(taste_groups()), SMALL)
    items, rows = model.item_factors.astype(np.float64), np.array([3, 0, 7])
    left = items.T @ items + SMALL.regularization * np.eye(4) + (SMALL.alpha - 1) * items[rows].T @ items[rows]
    by_hand = np.linalg.solve(left, SMALL.alpha * items[rows].sum(axis=0))
    np.testing.assert_allclose(model.user_vector(np.array([3, 0, 7, 3])), by_hand, rtol=1e-5)


def test_the_user_vector_is_that_of_implicit() -> None:
    taken = csr_matrix(taste_groups())
    with threadpool_limits(1, "blas"):
        twin = AlternatingLeastSquares(
            factors=4, regularization=0.5, alpha=8.0, iterations=20, random_state=0, num_threads=1
        )
        twin.fit(taken, show_progress=False)
        wanted = twin.recalculate_user(np.arange(5), taken[:5])
    model = AlsRecommender.fit(taken, SMALL, num_threads=1)
    np.testing.assert_allclose(model.item_factors, twin.item_factors, rtol=1e-4, atol=1e-5)
    found = np.stack([model.user_vector(taken[user].indices.astype(np.int64)) for user in range(5)])
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


def test_without_history_the_order_is_that_of_popularity() -> None:
    taken = taste_groups()
    taken[:, 7] = 1
    model = AlsRecommender.fit(csr_matrix(taken), SMALL)
    found = model.recommend([Request()], 2)
    assert found.item_rows[0, 0] == 7
    assert found.scores[0, 0] == len(taken)


def test_the_same_seed_fits_the_same_model_and_weights_do_not_matter() -> None:
    first = AlsRecommender.fit(csr_matrix(taste_groups()), SMALL, seed=3)
    again = AlsRecommender.fit(csr_matrix(5 * taste_groups()), SMALL, seed=3)
    other = AlsRecommender.fit(csr_matrix(taste_groups()), SMALL, seed=4)
    np.testing.assert_allclose(first.item_factors, again.item_factors, atol=1e-6)
    assert not np.allclose(first.item_factors, other.item_factors, atol=1e-3)


def test_tuning_keeps_the_best_and_the_first_of_equals() -> None:
    grid = [AlsSettings(factors=f, iterations=2) for f in (2, 3, 4)]

    def prefers_three(recommender: Recommender) -> dict[str, float]:
        return {"ndcg@10": float(getattr(recommender, "settings").factors == 3)}  # noqa: B009 - not in the Protocol

    matrix = csr_matrix(taste_groups())
    assert tune_als(matrix, prefers_three, grid=grid).settings.factors == 3
    assert tune_als(matrix, lambda _: {"ndcg@10": 0.5}, grid=grid).settings.factors == 2
    with pytest.raises(ConfigError, match="no 'best'; choose one of ndcg@10"):
        tune_als(matrix, prefers_three, grid=grid, figure="best")
    with pytest.raises(ConfigError, match="grid of ALS settings is empty"):
        tune_als(matrix, prefers_three, grid=[])


def test_the_grid_stays_within_the_protocol() -> None:
    assert len(set(DEFAULT_GRID)) == len(DEFAULT_GRID) <= 20


def test_nothing_to_learn_from_and_odd_settings_are_refused() -> None:
    with pytest.raises(DataError, match="matrix of 3 users and 4 items is empty"):
        AlsRecommender.fit(csr_matrix(np.zeros((3, 4), np.float32)))
    with pytest.raises(ConfigError, match=r"alpha=0.*not above 0"):
        AlsSettings(alpha=0)
