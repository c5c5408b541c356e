from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.model.small_model import SMALL
from tests.train.test_training import CONFIG, circle_data, next_hits, run

from trifocal.errors import ArtifactError
from trifocal.model.two_stage import Blend
from trifocal.train.data import TrainingData
from trifocal.train.knockout import KNOCKOUTS, knocked_out
from trifocal.train.loop import TrainedModel
from trifocal.types import History, IntArray, Request


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedModel, TrainingData]:
    folder = tmp_path_factory.mktemp("circle")
    data = circle_data(folder)
    config = CONFIG.model_copy(update={"epochs": 15, "patience": 15, "learning_rate": 1e-2})
    return run(data, folder / "run", config), data


def test_each_knockout_changes_the_items_and_is_named(trained: tuple[TrainedModel, TrainingData]) -> None:
    model, data = trained
    for what in KNOCKOUTS:
        found = knocked_out(model.recommender, data, SMALL, what=what, compact_size=8)
        assert found.name == f"trifocal, {what}"
        assert found.blend == model.blend
        assert not np.allclose(found.item_vectors, model.recommender.item_vectors)
        # With the ranker at work, whatever was chosen.
        ranked = found.with_blend(Blend(ranker=True)).recommend([Request(History.of_rows([0, 1]))], 8)
        assert np.isfinite(ranked.scores).all()


def test_nothing_shuffled_is_the_model_itself(
    trained: tuple[TrainedModel, TrainingData], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = trained
    same = np.arange(len(data.features))
    monkeypatch.setattr("trifocal.train.knockout.np.random.default_rng", lambda _: _Still(same))
    found = knocked_out(model.recommender, data, SMALL, what="pictures shuffled", compact_size=8)
    np.testing.assert_allclose(found.item_vectors, model.recommender.item_vectors, atol=1e-5)


class _Still:
    def __init__(self, order: IntArray) -> None:
        self._order = order

    def permutation(self, _: int) -> IntArray:
        return self._order


def test_the_memory_without_ids_knows_content_alone(trained: tuple[TrainedModel, TrainingData]) -> None:
    model, data = trained
    with_memory = model.recommender.with_blend(Blend(ranker=True))
    found = knocked_out(with_memory, data, SMALL, what="ids off", compact_size=8)
    without, whole = found.knowledge.memory, with_memory.knowledge.memory
    assert without is not None
    assert whole is not None
    asked = [np.array([0])]
    assert not np.allclose(without.scores(asked), whole.scores(asked))
    assert found.knowledge.evidence.counts.max() == 0
    assert len(found.knowledge.evidence.pairs) == 0


def test_who_walked_in_circles_by_id_is_lost_without_ids(trained: tuple[TrainedModel, TrainingData]) -> None:
    model, data = trained
    lost = knocked_out(model.recommender, data, SMALL, what="ids off", compact_size=8)
    assert next_hits(lost)["ndcg@10"] <= next_hits(model.recommender)["ndcg@10"]


def test_other_items_are_refused(trained: tuple[TrainedModel, TrainingData]) -> None:
    model, data = trained
    features = replace(data.features, text_keys=data.features.text_keys[:5], image_keys=data.features.image_keys[:5])
    with pytest.raises(ArtifactError, match="the model knows 8 items, the data has 5"):
        knocked_out(model.recommender, replace(data, features=features), SMALL, what="ids off", compact_size=8)
