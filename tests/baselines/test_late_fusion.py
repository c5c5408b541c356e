from __future__ import annotations

import numpy as np
import pytest
from tests.contracts.recommender import RecommenderContract

from trifocal.baselines.late_fusion import LateFusionRecommender, unit_scores
from trifocal.baselines.popularity import PopularityRecommender
from trifocal.errors import ConfigError
from trifocal.types import Rankings, Request

LEFT = PopularityRecommender(np.array([5, 4, 3, 2, 1, 0], np.float32), "left")
RIGHT = PopularityRecommender(np.array([0, 100, 200, 300, 400, 500], np.float32), "right")


class TestLateFusionContract(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> LateFusionRecommender:
        return LateFusionRecommender((LEFT, RIGHT), (1.0, 0.5), 6)


def test_scores_are_brought_to_one_scale_and_weighted() -> None:
    # Left: 1, .8, .6, .4, .2, 0. Right, a hundred times greater: 0, .2, .4, .6, .8, 1; half of it is added.
    found = LateFusionRecommender((LEFT, RIGHT), (1.0, 0.5), 6).recommend([Request()], 6)
    assert found.item_rows[0].tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(found.scores[0], [1, 0.9, 0.8, 0.7, 0.6, 0.5], rtol=1e-6)


def test_items_behind_the_depth_count_nothing() -> None:
    found = LateFusionRecommender((LEFT, RIGHT), (1.0, 1.0), 6, depth=2).recommend([Request()], 2)
    # Each list is cut to two: its first has 1, its second 0.
    assert set(found.item_rows[0]) == {0, 5}


def test_a_part_of_weight_0_is_not_asked() -> None:
    only = LateFusionRecommender((LEFT, RIGHT), (0.0, 1.0), 6).recommend([Request()], 6)
    assert only.item_rows[0].tolist() == [5, 4, 3, 2, 1, 0]


def test_one_score_for_all_is_0_for_all() -> None:
    lists = Rankings(np.array([[1, 0, -1], [-1, -1, -1]]), np.array([[2, 2, -np.inf], [-np.inf] * 3], np.float32))
    assert unit_scores(lists, 2).tolist() == [[0, 0], [0, 0]]


def test_weights_that_cannot_be_used_are_refused() -> None:
    for weights in ((1.0,), (0.0, 0.0), (1.0, -1.0)):
        with pytest.raises(ConfigError, match="give one weight a part, none below 0, one above"):
            LateFusionRecommender((LEFT, RIGHT), weights, 6)
