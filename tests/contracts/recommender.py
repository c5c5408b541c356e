"""What every `Recommender` keeps to. Derive the class and give the fixture `recommender`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from trifocal.ports import Recommender
from trifocal.types import Context, History, Rankings, Request

REQUESTS = (
    Request(History.of_rows([0, 1]), exclude=np.array([0, 1])),
    Request(History.of_rows([2])),
    Request(),
    Request(History.of_rows([1, 1, 1]), Context(timestamp_s=1_700_000_000), np.array([3])),
)


class RecommenderContract:
    """The shared suite; `recommender` must know at least 5 items and rank all of them."""

    @pytest.fixture
    def n_items(self) -> int:
        return 6

    def test_it_has_a_name(self, recommender: Recommender) -> None:
        assert recommender.name

    @pytest.mark.parametrize("k", [1, 3])
    def test_shapes_and_types(self, recommender: Recommender, k: int) -> None:
        found = recommender.recommend(REQUESTS, k)
        assert found.item_rows.shape == found.scores.shape == (len(REQUESTS), k)
        assert found.item_rows.dtype == np.int64
        assert found.scores.dtype == np.float32

    def test_never_an_excluded_item_and_never_one_twice(self, recommender: Recommender, n_items: int) -> None:
        for request, rows in zip(REQUESTS, recommender.recommend(REQUESTS, n_items).item_rows, strict=True):
            real = rows[rows >= 0]
            assert not set(real) & set(request.exclude)
            assert len(set(real)) == len(real) == n_items - len(request.exclude)
            assert real.max() < n_items

    def test_scores_fall(self, recommender: Recommender, n_items: int) -> None:
        scores = recommender.recommend(REQUESTS, n_items).scores
        assert (scores[:, :-1] >= scores[:, 1:]).all()

    def test_a_list_longer_than_the_catalogue_is_filled_up(self, recommender: Recommender, n_items: int) -> None:
        found = recommender.recommend(REQUESTS, n_items + 2)
        assert (found.item_rows[:, -2:] == -1).all()
        assert np.isneginf(found.scores[found.item_rows == -1]).all()
        assert np.isfinite(found.scores[found.item_rows >= 0]).all()

    def test_everything_excluded_gives_an_empty_list(self, recommender: Recommender, n_items: int) -> None:
        found = recommender.recommend([Request(exclude=np.arange(n_items))], 3)
        assert found.item_rows.tolist() == [[-1, -1, -1]]

    def test_the_same_question_has_the_same_answer(self, recommender: Recommender, n_items: int) -> None:
        first, again = (recommender.recommend(REQUESTS, n_items) for _ in range(2))
        assert first.item_rows.tolist() == again.item_rows.tolist()

    def test_an_answer_does_not_depend_on_its_neighbours(self, recommender: Recommender, n_items: int) -> None:
        together = recommender.recommend(REQUESTS, n_items)
        alone = _joined([recommender.recommend([request], n_items) for request in REQUESTS])
        assert together.item_rows.tolist() == alone.item_rows.tolist()
        np.testing.assert_allclose(together.scores, alone.scores, rtol=1e-4, atol=1e-5)

    def test_a_short_list_is_the_head_of_a_long_one(self, recommender: Recommender, n_items: int) -> None:
        long, short = recommender.recommend(REQUESTS, n_items), recommender.recommend(REQUESTS, 2)
        assert short.item_rows.tolist() == long.item_rows[:, :2].tolist()


def _joined(parts: Sequence[Rankings]) -> Rankings:
    return Rankings(np.concatenate([p.item_rows for p in parts]), np.concatenate([p.scores for p in parts]))
