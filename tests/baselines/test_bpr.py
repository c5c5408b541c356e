from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from tests.contracts.recommender import RecommenderContract

from trifocal.baselines.bpr import BprRecommender, BprSettings
from trifocal.errors import ConfigError, DataError
from trifocal.types import History, Request, UserId, Vocabulary

# Two groups of users, each with items of its own: 0-2 and 3-5.
DENSE = np.zeros((40, 6), dtype=np.float32)
DENSE[:20, :3] = 1
DENSE[20:, 3:] = 1
DENSE[np.arange(40), np.concatenate([np.arange(20) % 3, 3 + np.arange(20) % 3])] = 0
MATRIX = csr_matrix(DENSE)
USERS = Vocabulary.of([f"u{row}" for row in range(40)])
SETTINGS = BprSettings(factors=8, iterations=200)


@pytest.fixture(scope="module")
def fitted() -> BprRecommender:
    return BprRecommender.fit(MATRIX, USERS, SETTINGS)


class TestBprContract(RecommenderContract):
    @pytest.fixture
    def recommender(self, fitted: BprRecommender) -> BprRecommender:
        return fitted


def test_a_known_user_gets_the_missing_item_of_their_group(fitted: BprRecommender) -> None:
    for row in (0, 25):
        taken = np.flatnonzero(DENSE[row])
        request = Request(History.of_rows(taken), exclude=taken, user_id=UserId(f"u{row}"))
        (missing,) = set(range(3 * (row >= 20), 3 + 3 * (row >= 20))) - set(taken)
        assert fitted.recommend([request], 1).item_rows[0, 0] == missing


def test_a_stranger_is_served_from_the_history(fitted: BprRecommender) -> None:
    found = fitted.recommend([Request(History.of_rows([3, 4]), exclude=np.array([3, 4]), user_id=UserId("new"))], 1)
    assert found.item_rows[0, 0] == 5


def test_the_same_seed_gives_the_same_model(fitted: BprRecommender) -> None:
    again = BprRecommender.fit(MATRIX, USERS, SETTINGS)
    np.testing.assert_array_equal(again.item_factors, fitted.item_factors)


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(DataError, match="1 users and 2 items is empty; BPR needs events"):
        BprRecommender.fit(csr_matrix(np.zeros((1, 2), dtype=np.float32)), USERS)
    with pytest.raises(ConfigError, match=r"factors=0.* not above 0"):
        BprSettings(factors=0)
