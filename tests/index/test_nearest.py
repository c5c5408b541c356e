from __future__ import annotations

import numpy as np
import pytest

from trifocal.errors import NotFoundError, ServingError
from trifocal.index import NearestRecommender
from trifocal.types import Context, History, Request

ITEMS = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], np.float32)
TEXTS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]], np.float32)


@pytest.fixture
def recommender() -> NearestRecommender:
    return NearestRecommender(ITEMS, TEXTS)


def test_history_leads_to_its_neighbours(recommender: NearestRecommender) -> None:
    request = Request(history=History.of_rows([0]), exclude=np.array([0]))
    found = recommender.recommend([request], 3)
    # Cosines with (1, 0): 0.8, 0, -1.
    assert found.item_rows.tolist() == [[1, 2, 3]]
    assert found.scores[0] == pytest.approx([0.8, 0, -1])


def test_only_the_newest_events_count() -> None:
    recommender = NearestRecommender(ITEMS, TEXTS, history_length=1)
    found = recommender.recommend([Request(history=History.of_rows([3, 3, 2]))], 1)
    assert found.item_rows.tolist() == [[2]]


def test_query_leads_to_its_words(recommender: NearestRecommender) -> None:
    request = Request(context=Context(query_vector=np.array([0, 0, 5], np.float32)))
    found = recommender.recommend([request], 2)
    assert found.item_rows.tolist() == [[2, 3]]
    assert found.scores[0] == pytest.approx([1, 0.5**0.5])


def test_search_reads_the_texts(recommender: NearestRecommender) -> None:
    found = recommender.search(np.array([0, 2, 0], np.float32), 2, np.array([3]))
    assert found.item_rows[0, 0] == 1
    assert 3 not in found.item_rows


def test_similar_leaves_out_the_item_itself(recommender: NearestRecommender) -> None:
    assert recommender.similar(0, 2).item_rows.tolist() == [[1, 2]]
    assert recommender.similar(0, 2, np.array([1])).item_rows.tolist() == [[2, 3]]


def test_unknown_row_and_wrong_width_are_refused(recommender: NearestRecommender) -> None:
    with pytest.raises(NotFoundError, match="item row 4 is outside the catalogue of 4 items"):
        recommender.similar(4, 1)
    with pytest.raises(ServingError, match=r"shape \(2,\), these texts need \(3,\)"):
        recommender.search(np.zeros(2, np.float32), 1)
