"""The settings of a student, and which bundles cannot teach; the whole lesson is in `tests/end_to_end`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from trifocal.errors import ConfigError
from trifocal.features.config import FeaturesConfig
from trifocal.model import ModelConfig
from trifocal.train import distill
from trifocal.train.config import LossWeights, TrainConfig
from trifocal.train.distill import Lesson, bundle_folder
from trifocal.train.distill_config import DistillConfig

CONFIG = DistillConfig()


def lesson(told: str, split: str, *, refit: bool) -> Lesson:
    bundle = SimpleNamespace(folder="teacher", contents=SimpleNamespace(metrics={"split": told}))
    parts = SimpleNamespace(bundle=bundle, split=SimpleNamespace(name=split), refit=refit)
    return cast("Lesson", parts)


def test_a_student_is_cheap_where_its_teacher_is_dear_and_else_alike() -> None:
    features = distill._student_features(FeaturesConfig(max_tokens=32), CONFIG)
    assert (features.text_backbone, features.image_backbone, features.image_size) == (
        "static",
        "efficientnet-lite0",
        160,
    )
    assert features.max_tokens == 32
    model = distill._student_model(ModelConfig(text_trainable_layers=2, memory_links=50), CONFIG)
    assert (model.user_layers, model.text_trainable_layers, model.memory_links) == (1, 0, 50)
    train = distill._student_training(TrainConfig(losses=LossWeights(mlm=0.1, bpr=0.3)), CONFIG)
    assert (train.align_epochs, train.epochs, train.losses.mlm, train.losses.bpr) == (5, 2, 0.0, 0.3)


@pytest.mark.parametrize(
    ("told", "split", "refit", "message"),
    [
        ("time", "random", False, r"was trained on the split 'time', not 'random'; give --split time"),
        ("time, refit on train + validation", "time", False, r"on train \+ validation; add --refit"),
        ("time", "time", True, "was trained on train alone; leave --refit out"),
    ],
)
def test_a_teacher_with_another_past_is_refused(told: str, split: str, message: str, *, refit: bool) -> None:
    with pytest.raises(ConfigError, match=message):
        distill._require_same_past(lesson(told, split, refit=refit))


def test_a_teacher_with_the_same_past_is_taken() -> None:
    distill._require_same_past(lesson("time", "time", refit=False))
    distill._require_same_past(lesson("hm-random, refit on train + validation", "hm-random", refit=True))


def test_a_run_means_its_trifocal_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "run" / "trifocal" / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text("{}")
    assert bundle_folder(bundle) == bundle_folder(tmp_path / "run") == bundle
    with pytest.raises(ConfigError, match=r"is no bundle and no run with a trifocal/bundle"):
        bundle_folder(tmp_path)


def test_a_lesson_is_a_plain_value() -> None:
    told = Lesson(None, None, None, TrainConfig(), CONFIG, Path("run"), Path("cache"))  # type: ignore[arg-type]
    assert replace(told, refit=True) != told
