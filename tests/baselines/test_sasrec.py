from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.contracts.recommender import RecommenderContract

from trifocal.baselines.sasrec import SasrecRecommender, SasrecSettings
from trifocal.errors import ConfigError, DataError
from trifocal.ports import Recommender
from trifocal.types import History, Request

TINY = SasrecSettings(
    embedding_size=16, layers=1, heads=2, history_length=6, dropout=0.0, learning_rate=0.02, warmup_steps=5,
    batch_size=12, epochs=20,
)  # fmt: skip


def cycle(start: int, length: int) -> History:
    """Items 0, 1 ... 5, 0, 1 ... from `start` on."""
    return History.of_rows((start + np.arange(length)) % 6)


CYCLES = [cycle(start, length) for start in range(6) for length in (3, 5, 8)]


class TestSasrecContract(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> SasrecRecommender:
        return SasrecRecommender.fit(CYCLES, 6, replace(TINY, epochs=1))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_what_follows_what(precision: str) -> None:
    settings = replace(TINY, precision="bfloat16" if precision == "bfloat16" else "float32")
    model = SasrecRecommender.fit(CYCLES, 6, settings)
    # All items are as popular and each window holds them in a circle: only the newest event tells the next one.
    requests = [Request(cycle(start, length)) for start in range(6) for length in (1, 4, 6, 9)]
    wanted = [(int(request.history.item_rows[-1]) + 1) % 6 for request in requests]
    assert model.recommend(requests, 1).item_rows[:, 0].tolist() == wanted
    assert model.progress is not None
    assert model.progress.step <= 60


def test_without_history_the_order_is_that_of_popularity() -> None:
    model = SasrecRecommender.fit([History.of_rows([3, 3, 1]), History.of_rows([3, 1, 2])], 6, replace(TINY, epochs=1))
    found = model.recommend([Request(), Request(History.of_rows([0]))], 3)
    assert found.item_rows[0].tolist() == [3, 1, 2]
    assert found.scores[0].tolist() == [3, 2, 1]
    assert found.scores[1, 0] < 3


def test_only_the_newest_events_are_read() -> None:
    model = SasrecRecommender.fit(CYCLES, 6, replace(TINY, epochs=2))
    newest = [5, 3, 1, 0, 2, 4]
    found = model.recommend([Request(History.of_rows(start + newest)) for start in ([], [1], [2] * 40)], 6)
    assert found.scores[0].tolist() == found.scores[1].tolist() == found.scores[2].tolist()


def test_the_same_seed_fits_the_same_model() -> None:
    settings = replace(TINY, epochs=2, dropout=0.3)
    scores = [
        SasrecRecommender.fit(CYCLES, 6, settings, seed=seed).recommend([Request(cycle(2, 4))], 6).scores.tolist()
        for seed in (3, 3, 4)
    ]
    assert scores[0] == scores[1] != scores[2]


def test_the_validator_sees_a_recommender_and_must_give_the_metric() -> None:
    seen: list[tuple[int, ...]] = []

    def validate(recommender: Recommender) -> dict[str, float]:
        seen.append(recommender.recommend([Request()], 2).item_rows.shape)
        return {"ndcg@10": 0.5}

    model = SasrecRecommender.fit(CYCLES, 6, replace(TINY, epochs=4, validate_every=3), validate=validate)
    assert seen == [(1, 2)] * 2
    assert model.progress is not None
    assert (model.progress.best, model.progress.best_epoch) == (0.5, 3)
    with pytest.raises(ConfigError, match=r"no 'recall@5'; choose one of ndcg@10"):
        SasrecRecommender.fit(CYCLES, 6, TINY, validate=validate, metric="recall@5")


def test_nothing_to_learn_from_and_unknown_rows_are_refused() -> None:
    with pytest.raises(DataError, match="none of 2 histories has two events"):
        SasrecRecommender.fit([History.of_rows([1]), History()], 6, TINY)
    with pytest.raises(DataError, match="item rows 0 to 6; rows run from 0 to 5"):
        SasrecRecommender.fit([History.of_rows([0, 6])], 6, TINY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 0}, "layers is 0; it must be above 0"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1; it must be above 0"),
        ({"warmup_steps": -1}, "warmup_steps is -1; it must be 0 or more"),
        ({"dropout": 1.0}, "dropout is 1.0; it must be 0 or more and below 1"),
        ({"embedding_size": 10, "heads": 4}, "embedding_size 10 is no multiple of heads 4"),
        (
            {"patience": 2, "validate_every": 3},
            "patience is 2; training would stop before the validation after epoch 3",
        ),
        ({"precision": "float16"}, "precision is 'float16'; choose float32 or bfloat16"),
    ],
)
def test_odd_settings_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SasrecSettings(**change)  # type: ignore[arg-type]  # the point of the test


def test_the_order_within_a_basket_can_be_left_open() -> None:
    rows, day = np.array([0, 1, 2, 3]), np.full(4, 86_400)
    basket = replace(History.of_rows(rows), timestamps_s=day)
    spread = replace(basket, timestamps_s=day + np.arange(4))
    open_, fixed, apart = (
        SasrecRecommender.fit([history] * 6, 6, replace(TINY, epochs=3, shuffle_ties=shuffled))
        for history, shuffled in ((basket, True), (basket, False), (spread, True))
    )
    asked = [Request(History.of_rows([0]))]
    assert fixed.recommend(asked, 6).scores.tolist() == apart.recommend(asked, 6).scores.tolist()
    assert fixed.recommend(asked, 6).scores.tolist() != open_.recommend(asked, 6).scores.tolist()
