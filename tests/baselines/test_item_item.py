from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from tests.contracts.recommender import RecommenderContract

from trifocal.baselines.item_item import ItemItemRecommender, fit_content_knn, fit_ease, fit_item_knn
from trifocal.errors import ConfigError, DataError
from trifocal.features.likeness import likeness_kernel
from trifocal.types import History, Request

# Six users, six items: 0 and 1 are taken together three times, 2 and 3 twice; 4 alone; 5 by nobody.
TAKEN = ((0, 1), (0, 1), (0, 1, 2), (2, 3), (2, 3), (4,))
DENSE = np.array([[float(item in items) for item in range(6)] for items in TAKEN], dtype=np.float32)
MATRIX = csr_matrix(DENSE)
LOOKS = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 0], [0, 1]], dtype=np.float32)


class TestItemKnnContract(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> ItemItemRecommender:
        return fit_item_knn(MATRIX)


class TestEaseContract(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> ItemItemRecommender:
        return fit_ease(MATRIX, regularization=1.0)


class TestContentKnnContract(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> ItemItemRecommender:
        return fit_content_knn([LOOKS], MATRIX)


def first(recommender: ItemItemRecommender, *history: int) -> int:
    request = Request(History.of_rows(history), exclude=np.array(history, dtype=np.int64))
    return int(recommender.recommend([request], 1).item_rows[0, 0])


def test_item_knn_scores_by_the_cosine_of_shared_users() -> None:
    # Items 0 and 1: 3 shared of 3 and 3 users -> 1. Items 0 and 2: 1 of 3 and 3 -> 1/3. Items 2 and 3: 2/sqrt(6).
    found = fit_item_knn(MATRIX).recommend([Request(History.of_rows([2]))], 3)
    assert found.item_rows[0, 0] == 3
    np.testing.assert_allclose(found.scores[0], [2 / np.sqrt(6), 1 / 3, 1 / 3], rtol=1e-6)


def test_item_knn_keeps_only_the_nearest() -> None:
    # Item 2 has three neighbours; with itself and one more kept, only item 3 is left to be scored from it.
    whole, cut = fit_item_knn(MATRIX), fit_item_knn(MATRIX, neighbours=2)
    assert isinstance(whole.links, csr_matrix)
    assert isinstance(cut.links, csr_matrix)
    assert cut.links.nnz < whole.links.nnz
    assert first(cut, 0) == 1


@pytest.mark.parametrize("closeness", ["tfidf", "bm25"])
def test_weighted_closeness_finds_what_is_taken_together(closeness: str) -> None:
    assert first(fit_item_knn(MATRIX, closeness="tfidf" if closeness == "tfidf" else "bm25"), 0) == 1


def test_ease_equals_its_brute_force_twin() -> None:
    dense = DENSE.astype(np.float64)
    # Ridge regression of each column on all others, one by one.
    links = np.zeros((6, 6))
    for item in range(6):
        others = [row for row in range(6) if row != item]
        x = dense[:, others]
        links[others, item] = np.linalg.solve(x.T @ x + 2.0 * np.eye(5), x.T @ dense[:, item])
    np.testing.assert_allclose(np.asarray(fit_ease(MATRIX, regularization=2.0).links), links, atol=1e-6)


def test_content_links_an_item_that_nobody_took() -> None:
    kernel = likeness_kernel(LOOKS)
    plain, content = (fit_ease(MATRIX, regularization=1.0, kernels=k, content_weight=1.0) for k in ((), [kernel]))
    asked = [Request(History.of_rows([3]))]
    assert plain.name == "ease"
    assert content.name == "ease-content"
    assert _score(plain, asked, 5) == 0
    assert _score(content, asked, 5) > 0


def _score(recommender: ItemItemRecommender, requests: list[Request], item: int) -> float:
    found = recommender.recommend(requests, 6)
    return float(found.scores[0][found.item_rows[0] == item][0])


def test_content_knn_reads_no_behaviour() -> None:
    model = fit_content_knn([LOOKS], MATRIX)
    assert first(model, 2) in (3, 5)
    assert first(model, 0) in (1, 4)
    other = fit_content_knn([LOOKS], csr_matrix(DENSE[::-1, ::-1]))
    np.testing.assert_array_equal(np.asarray(model.links), np.asarray(other.links))


def test_weights_of_modalities_count() -> None:
    text, image = LOOKS, LOOKS[[2, 3, 0, 1, 4, 5]]
    both = np.asarray(fit_content_knn([text, image], MATRIX, weights=[2.0, 0.5]).links)
    np.testing.assert_allclose(both, 2 * likeness_kernel(text) + 0.5 * likeness_kernel(image), rtol=1e-6)


def test_who_has_no_history_gets_what_most_took() -> None:
    for model in (fit_item_knn(MATRIX), fit_ease(MATRIX), fit_content_knn([LOOKS], MATRIX)):
        assert set(model.recommend([Request()], 3).item_rows[0]) == {0, 1, 2}


def test_a_repeat_in_the_history_counts_once() -> None:
    model = fit_ease(MATRIX)
    once, thrice = (model.recommend([Request(History.of_rows(rows))], 6).scores for rows in ([0, 2], [0, 0, 2, 0]))
    np.testing.assert_allclose(once, thrice)


def test_what_cannot_be_fitted_is_refused() -> None:
    empty = csr_matrix(np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(DataError, match=r"2 users and 3 items is empty; EASE needs events"):
        fit_ease(empty)
    with pytest.raises(DataError, match="ItemKNN needs events"):
        fit_item_knn(empty)
    with pytest.raises(DataError, match="given 0 modalities"):
        fit_content_knn([], MATRIX)
    with pytest.raises(ConfigError, match=r"regularization 0.* and content_weight -1"):
        fit_ease(MATRIX, regularization=0, content_weight=-1)
    with pytest.raises(ConfigError, match="keep 1 neighbours; give 2 or more"):
        fit_item_knn(MATRIX, neighbours=1)
