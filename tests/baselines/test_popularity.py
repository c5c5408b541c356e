from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from tests.contracts.recommender import RecommenderContract

from trifocal.baselines.popularity import PopularityRecommender
from trifocal.errors import ConfigError, DataError
from trifocal.types import History, Request

MATRIX = csr_matrix(np.array([[1, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1], [1, 0, 1, 0, 0, 0]], dtype=np.float32))
DAY_S = 86_400


class TestPopularityContract(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> PopularityRecommender:
        return PopularityRecommender.fit(MATRIX)


def history(rows: list[int], days: list[int]) -> History:
    zeros = np.zeros(len(rows), np.int64)
    return History(np.array(rows), zeros, np.array(days, np.int64) * DAY_S, zeros, zeros)


def test_the_most_taken_come_first_whoever_asks() -> None:
    found = PopularityRecommender.fit(MATRIX).recommend([Request(), Request(exclude=np.array([0]))], 3)
    assert found.item_rows[0].tolist() == [0, 2, 5]
    assert found.scores[0].tolist() == [3, 2, 1]
    assert found.item_rows[1, :2].tolist() == [2, 5]


def test_recent_popularity_halves_with_age() -> None:
    # Newest event: day 20. Item 0: ages 14 and 7 days -> 1/4 + 1/2; item 1: age 0 -> 1.
    found = PopularityRecommender.fit_recent([history([0, 1], [6, 20]), history([0], [13])], 3, half_life_days=7)
    np.testing.assert_allclose(found.scores, [0.75, 1.0, 0.0])
    assert found.name == "recent popularity"


def test_recent_popularity_counts_no_event_without_time() -> None:
    found = PopularityRecommender.fit_recent([history([0, 0, 1], [0, 0, 20])], 2)
    assert found.scores.tolist() == [0, 1]


def test_recent_popularity_refuses_what_it_cannot_use() -> None:
    with pytest.raises(ConfigError, match="half_life_days is 0; it must be above 0"):
        PopularityRecommender.fit_recent([], 3, half_life_days=0)
    with pytest.raises(DataError, match="none of 2 events has a time"):
        PopularityRecommender.fit_recent([History.of_rows([1, 2])], 3)
