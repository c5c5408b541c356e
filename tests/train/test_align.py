from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.model.small_text import TRAINED, small_trained_features
from tests.train.test_training import CONFIG, circle_data, next_hits

from trifocal.errors import ConfigError
from trifocal.model import ModelConfig
from trifocal.train.align import align
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData
from trifocal.train.loop import TrainedModel, train_model
from trifocal.train.run import TrainingRun

ALIGNED = CONFIG.model_copy(
    update={
        "epochs": 2,
        "align_epochs": 2,
        "batch_size": 4,
        "losses": CONFIG.losses.model_copy(update={"mlm": 0.5}),
        "text_learning_rate": 1e-3,
    }
)


def text_data(folder: Path) -> TrainingData:
    features, state = small_trained_features(folder / "cache")
    return replace(circle_data(folder), features=features, state=state)


def run(data: TrainingData, folder: Path, config: TrainConfig = ALIGNED, model: ModelConfig = TRAINED) -> TrainedModel:
    return train_model(
        data, name="trifocal", model_config=model, config=config, compact_size=8, folder=folder, validate=next_hits
    )


def _rows(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def weights(trained: TrainedModel) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in trained.model.state_dict().items() if "text_layers" in name}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedModel, TrainingData, Path]:
    folder = tmp_path_factory.mktemp("aligned")
    data = text_data(folder)
    return run(data, folder / "whole"), data, folder


def test_both_stages_are_logged_with_their_own_losses(whole: tuple[TrainedModel, TrainingData, Path]) -> None:
    folder = whole[2] / "whole"
    aligned, trained = (_rows(folder / name) for name in ("align.jsonl", "train.jsonl"))
    assert [set(row) for row in aligned] == [{"epoch", "seconds", "contrastive", "mlm"}] * 2
    assert {"softmax", "contrastive", "mlm"} <= set(trained[0])
    assert [row["epoch"] for row in aligned + trained] == [1, 2, 1, 2]


def test_the_text_layers_learn_and_the_last_layer_as_cached_stays(
    whole: tuple[TrainedModel, TrainingData, Path],
) -> None:
    trained, data, _ = whole
    assert data.features.trained is not None
    (state,) = data.features.trained.backbone.states
    moved = {name: tensor for name, tensor in weights(trained).items() if tensor.ndim == 2}
    assert len(moved) == 6
    for name, tensor in moved.items():
        assert not torch.equal(tensor, state[name.split(".layers.0.")[1]])


@pytest.mark.parametrize("stage", ["align", "loop"])
def test_a_training_killed_in_either_stage_goes_on_to_the_same_model(
    whole: tuple[TrainedModel, TrainingData, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    expected, data, _ = whole
    with monkeypatch.context() as patch:
        _die_in_the_second(patch, f"trifocal.train.{stage}.{'_steps' if stage == 'align' else 'train_steps'}")
        with pytest.raises(KeyboardInterrupt):
            run(data, tmp_path / "killed")
    resumed = run(data, tmp_path / "killed")
    assert resumed.progress.align_epoch == 2
    np.testing.assert_allclose(resumed.knowledge.vectors, expected.knowledge.vectors, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(weights(resumed), weights(expected), atol=1e-4, rtol=1e-4)


def _die_in_the_second(patch: pytest.MonkeyPatch, target: str) -> None:
    module, name = target.rsplit(".", 1)
    original = getattr(__import__(module, fromlist=[name]), name)
    count = 0

    def dying(*arguments: object) -> dict[str, float]:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        found: dict[str, float] = original(*arguments)
        return found

    patch.setattr(target, dying)


def test_low_rank_adaptation_leaves_the_pre_trained_weights_as_they_are(
    whole: tuple[TrainedModel, TrainingData, Path], tmp_path: Path
) -> None:
    data = whole[1]
    lora = TRAINED.model_copy(update={"text_adaptation": "lora", "text_rank": 2})
    trained = run(data, tmp_path / "lora", ALIGNED.model_copy(update={"align_epochs": 1, "epochs": 1}), lora)
    assert data.features.trained is not None
    (state,) = data.features.trained.backbone.states
    found = {name.split(".layers.0.")[1]: tensor for name, tensor in weights(trained).items()}
    for name, tensor in state.items():
        assert torch.equal(found[name], tensor)
    assert all(float(found[f"{part}.up"].abs().sum()) > 0 for part in ("query", "value"))


def test_stage_1_lets_everything_that_is_not_content_alone(tmp_path: Path) -> None:
    training = TrainingRun(text_data(tmp_path), "trifocal", TRAINED, ALIGNED, 8)
    before = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    align(training, tmp_path / "run")
    after = training.model.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"item_tower", "masked_text", "log_temperature"}
    # Ids get no gradient; weight decay alone moves them a little.
    ids = "item_tower.id_table.weight"
    torch.testing.assert_close(after[ids], before[ids], rtol=0.01, atol=0)
    assert (training.progress.step, training.progress.align_epoch) == (0, 2)


def test_ids_alone_have_nothing_to_align(tmp_path: Path) -> None:
    ids = TRAINED.model_copy(update={"modalities": ("ids",)})
    training = TrainingRun(text_data(tmp_path), "ids", ids, ALIGNED, 8)
    assert training.content_objective is None
    align(training, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_hidden_words_need_text_layers_that_are_trained(tmp_path: Path) -> None:
    frozen = TRAINED.model_copy(update={"text_trainable_layers": 0})
    with pytest.raises(ConfigError, match=r"mlm = 0\.5, but model\.text_trainable_layers = 0: .* to 1 or more"):
        run(circle_data(tmp_path), tmp_path / "run", model=frozen)
