from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.model.small_model import SMALL
from tests.train.judged_circle import judged_circle
from tests.train.test_training import CONFIG, run

from trifocal.batch import Batch
from trifocal.train.batches import epoch_batches
from trifocal.train.data import TrainingData
from trifocal.train.judgements import Judgements
from trifocal.train.objective import PARTS
from trifocal.train.part import Part
from trifocal.train.run import TrainingRun
from trifocal.train.table import content_table


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return judged_circle(tmp_path_factory.mktemp("circle"))


def one_step(data: TrainingData, **changes: object) -> tuple[TrainingRun, Batch, dict[str, Part]]:
    training = TrainingRun(data, "trifocal", SMALL, CONFIG.model_copy(update=changes), 8)
    batch, times_s = next(epoch_batches(training.batches, 0))
    content = content_table(training.model, data.features, training.device)
    return training, batch, training.objective(batch.to(training.device), times_s, training.catalogue(content))


def test_every_part_has_a_weight_setting_and_is_computed(data: TrainingData) -> None:
    assert set(PARTS) <= set(CONFIG.losses.model_dump())
    _, batch, parts = one_step(data)
    assert {"softmax", "bpr", "click", "rating", "contrastive"} <= set(parts)
    assert batch.shown is not None
    assert float(parts["click"].weight) == int(batch.shown.mask.sum())
    assert float(parts["softmax"].weight) == int((batch.targets >= 0).sum())
    assert all(bool(torch.isfinite(part.loss)) for part in parts.values())


def test_a_part_of_weight_0_is_left_out(data: TrainingData) -> None:
    losses = CONFIG.losses.model_copy(update={"click": 0.0, "rating": 0.0})
    assert not {"click", "rating"} & set(one_step(data, losses=losses)[2])


def test_the_parts_start_from_what_the_log_says(data: TrainingData) -> None:
    training, _, _ = one_step(data)
    # One of three was clicked; the six items are rated 0, .5, 1, 1.5, 2 and 2.5 equally often.
    assert torch.sigmoid(training.model.click_head.bias).item() == pytest.approx(1 / 3, abs=0.01)
    assert training.model.rating_head.mean.item() == pytest.approx(1.25)
    assert training.model.user_tower.price_codes.tolist() == data.features.attributes[:, -1].tolist()


def test_without_impressions_clicks_are_told_from_sampled_items(data: TrainingData) -> None:
    _, batch, parts = one_step(replace(data, shown=Judgements(), rated=Judgements()))
    asked = int((batch.targets >= 0).sum())
    assert asked < float(parts["click"].weight) <= 2 * asked
    assert "rating" not in parts


def test_clicks_and_ratings_are_learned(data: TrainingData, tmp_path: Path) -> None:
    losses = CONFIG.losses.model_copy(update={"click": 1.0, "rating": 1.0})
    config = CONFIG.model_copy(update={"epochs": 15, "patience": 15, "learning_rate": 1e-2, "losses": losses})
    curve = run(data, tmp_path / "run", config).progress.curve or []
    assert curve[-1]["click"] < 0.5 * curve[0]["click"]
    # The spread of the six ratings is 0.73; from there it goes down.
    assert curve[-1]["rating"] < 0.3


def test_half_precision_gives_nearly_the_same_parts(data: TrainingData) -> None:
    _, _, full = one_step(data)
    training, _, half = one_step(data, precision="bf16")
    for name in ("softmax", "click", "rating"):
        assert half[name].loss.dtype == torch.float32
        assert half[name].loss.item() == pytest.approx(full[name].loss.item(), rel=0.03)
    assert {parameter.dtype for parameter in training.model.parameters()} == {torch.float32}


def test_training_in_half_precision_learns(data: TrainingData, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"epochs": 5, "precision": "bf16"})
    curve = run(data, tmp_path / "run", config).progress.curve or []
    assert curve[-1]["softmax"] < 0.95 * curve[0]["softmax"]


def test_sparing_nothing_makes_what_was_taken_before_and_after_a_negative(data: TrainingData) -> None:
    spared, told_apart = (one_step(data, spared=spared)[2]["softmax"] for spared in ("history", "nothing"))
    assert told_apart.loss.item() > spared.loss.item()
