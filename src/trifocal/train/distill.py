"""A trained bundle and its data set -> a student that is cheap to encode, as a bundle of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from trifocal import columns as c
from trifocal.bundle import Bundle, read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import Dataset
from trifocal.data.pictures import without_pictures
from trifocal.data.splits import Split
from trifocal.errors import ArtifactError, ConfigError
from trifocal.features.config import FeaturesConfig
from trifocal.features.items import CatalogueFeatures, FeatureState, encode_catalogue
from trifocal.model import ModelConfig, TwoStageRecommender
from trifocal.model.build import TrifocalModel
from trifocal.ports import Validator
from trifocal.train.config import TrainConfig
from trifocal.train.distill_config import DistillConfig
from trifocal.train.distill_speed import item_encoder
from trifocal.train.distill_teacher import Teacher
from trifocal.train.excluded import excluded_pictures
from trifocal.train.pipeline import Job, train_bundle
from trifocal.train.prepare import prepare_training
from trifocal.train.table import content_table, pooled_features
from trifocal.types import IntArray

__all__ = ["STUDENT", "Lesson", "Pair", "bundle_folder", "distill_bundle", "read_teacher", "teacher_features"]

STUDENT = "student"
"""Name of the student's folder in a run, and of its model."""

# Text vectors are kept in half precision, and another machine computes them slightly otherwise.
_SAME_VECTORS = 0.02


@dataclass(frozen=True)
class Lesson:
    """What a student is taught from.

    Attributes:
        bundle: the teacher.
        dataset: restricted to the split's items.
        split: the teacher's.
        train: losses, optimiser and schedule.
        config: what the student is made of, and what is learned from the teacher.
        folder: of the run; the student has the folder `student` in it.
        cache_folder: token features, shared between runs.
        refit: train on train + validation in the end, as the teacher was.
    """

    bundle: Bundle
    dataset: Dataset
    split: Split
    train: TrainConfig
    config: DistillConfig
    folder: Path
    cache_folder: Path
    refit: bool = False


@dataclass(frozen=True)
class Pair:
    """Student and teacher, in this order, ready to be compared.

    Attributes:
        bundle: the student's, as it was read back.
        recommenders: both.
        encoders: both, see `item_encoder`.
        cases: of the part that neither learned from.
    """

    bundle: Bundle
    recommenders: tuple[TwoStageRecommender, TwoStageRecommender]
    encoders: tuple[Callable[[IntArray], None], Callable[[IntArray], None]]
    cases: Cases


def distill_bundle(lesson: Lesson, validator: Callable[[Cases], Validator]) -> Pair:
    """Train the student, write its bundle to `<run>/student/bundle`, and return it beside its teacher.

    A killed run goes on where it was.

    Raises:
        ArtifactError: when the bundle is not of this data set, or cannot teach.
        ConfigError: when it learned from other parts of the split than the student would.
    """
    excluded = excluded_pictures(lesson.bundle)
    lesson = replace(lesson, dataset=without_pictures(lesson.dataset, excluded))
    _require_same_past(lesson)
    contents, config = lesson.bundle.contents, lesson.config
    seen = FeaturesConfig.model_validate(contents.config["features"])
    job = Job(
        lesson.dataset,
        lesson.split,
        _student_features(seen, config),
        _student_model(ModelConfig.model_validate(contents.config["model"]), config),
        _student_training(lesson.train, config),
        lesson.folder,
        lesson.cache_folder,
        lesson.refit,
        excluded,
    )
    known = teacher_features(lesson.bundle, lesson.dataset, lesson.cache_folder)
    data = prepare_training(lesson.dataset, lesson.split, job.features, lesson.cache_folder)
    teacher = read_teacher(lesson.bundle, known, data.state, config)
    validation, test = (
        build_cases(lesson.split, part, lesson.dataset.vocabulary(), data.state.context)
        for part in ("validation", "test")
    )
    train_bundle(job, STUDENT, data, validator(validation.sample(lesson.train.validation_users)), teacher)
    student = read_bundle(lesson.folder / STUDENT / "bundle")
    pair = (_recommender(student), _recommender(lesson.bundle))
    encoders = (
        item_encoder(lesson.dataset, data.features, pair[0].model, job.features),
        item_encoder(lesson.dataset, known, pair[1].model, seen),
    )
    cases = (test if lesson.refit else validation).sample(config.compare_users)
    return Pair(student, pair, encoders, cases)


def bundle_folder(path: Path) -> Path:
    """Return the bundle that `path` means: itself, or the one of the model `trifocal` where it is a run.

    Raises:
        ConfigError: when it is neither.
    """
    for folder in (path, path / "trifocal" / "bundle"):
        if (folder / "manifest.json").is_file():
            return folder
    raise ConfigError(f"{path} is no bundle and no run with a trifocal/bundle; give the folder of a trained model")


def _student_features(teacher: FeaturesConfig, config: DistillConfig) -> FeaturesConfig:
    """Return the teacher's settings of the features with the encoders of `config`."""
    return teacher.model_copy(
        update={
            "text_backbone": config.text_backbone,
            "image_backbone": config.image_backbone,
            "image_size": config.image_size,
        }
    )


def _student_model(teacher: ModelConfig, config: DistillConfig) -> ModelConfig:
    """Return the teacher's sizes with a smaller user tower and no text layers of its own."""
    return teacher.model_copy(update={"user_layers": config.user_layers, "text_trainable_layers": 0})


def _student_training(train: TrainConfig, config: DistillConfig) -> TrainConfig:
    """Return `train` with the passes of `config`; there are no text layers to guess words with."""
    losses = train.losses.model_copy(update={"mlm": 0.0})
    return train.model_copy(update={"align_epochs": config.catalogue_passes, "epochs": config.epochs, "losses": losses})


def _require_same_past(lesson: Lesson) -> None:
    """Teacher and student must learn from the same events, else their figures could not be compared."""
    bundle, refit = lesson.bundle, lesson.refit
    name, _, rest = str(bundle.contents.metrics.get("split", "")).partition(", refit")
    if name != lesson.split.name:
        raise ConfigError(
            f"the teacher in {bundle.folder} was trained on the split {name!r}, not {lesson.split.name!r}; "
            f"give --split {name}"
        )
    if bool(rest) != refit:
        repair = "add --refit" if rest else "leave --refit out"
        raise ConfigError(
            f"the teacher in {bundle.folder} was trained on {'train + validation' if rest else 'train alone'}; "
            f"{repair}, so that the student is too"
        )


def teacher_features(bundle: Bundle, dataset: Dataset, cache_folder: Path) -> CatalogueFeatures:
    """Return the catalogue as the teacher's encoders see it, encoding what `cache_folder` does not hold.

    Raises:
        ArtifactError: when `dataset` has other items than the bundle, or its texts now get other vectors.
    """
    contents = bundle.contents
    if tuple(contents.items[c.ITEM_ID]) != tuple(dataset.items[c.ITEM_ID]):
        raise ArtifactError(
            f"{bundle.folder} has {contents.items.height:,} items, and the data set of this split others "
            f"({dataset.items.height:,}); give the data set and split that the teacher was trained on"
        )
    features = encode_catalogue(
        dataset.items,
        dataset.image_root,
        FeatureState.from_json(contents.feature_state).attributes,
        FeaturesConfig.model_validate(contents.config["features"]),
        cache_folder,
        trainable_layers=ModelConfig.model_validate(contents.config["model"]).text_trainable_layers,
    )
    gap = float(np.abs(features.pooled_text() - contents.text_vectors.astype(np.float32)).max())
    if not gap <= _SAME_VECTORS:
        raise ArtifactError(
            f"the teacher's text encoder now gives vectors that differ by {gap:.3f} from those in {bundle.folder}, at "
            f"most {_SAME_VECTORS} is expected; give the cache folder and data set that it was trained with"
        )
    return features


def read_teacher(bundle: Bundle, features: CatalogueFeatures, state: FeatureState, config: DistillConfig) -> Teacher:
    """Return what a student is taught by.

    Args:
        bundle: of the teacher.
        features: the catalogue as the teacher's encoders see it.
        state: what the student's features were fitted to.
        config: weights and temperature.

    Raises:
        ArtifactError: when the bundle holds no network, or codes attributes or contexts otherwise than `state`.
    """
    recommender = _recommender(bundle)
    own = json.loads(json.dumps(state.to_json()))
    for part in ("attributes", "context"):
        if own[part] != bundle.contents.feature_state[part]:
            raise ArtifactError(
                f"{bundle.folder} codes {part} otherwise than the training part does now; give the data set and split "
                "that the teacher was trained on"
            )
    model = recommender.model.eval().requires_grad_(requires_grad=False)
    about = f"{bundle.manifest.model_version} {config.model_dump_json()}"
    return Teacher(
        model=model,
        vectors=torch.from_numpy(np.array(recommender.item_vectors)),
        content=_content(model, features),
        blend=recommender.blend,
        config=config,
        fingerprint=hashlib.sha256(about.encode()).hexdigest(),
    )


def _content(model: TrifocalModel, features: CatalogueFeatures) -> torch.Tensor:
    """(N, D): the item vectors without their ids."""
    cpu, attributes = torch.device("cpu"), torch.from_numpy(features.attributes)
    content, pooled = content_table(model, features, cpu), pooled_features(model, features, cpu)
    with torch.no_grad():
        return model.item_tower.vectors(content, pooled, attributes, torch.zeros(len(features), dtype=torch.int64))


def _recommender(bundle: Bundle) -> TwoStageRecommender:
    recommender = load_recommender(bundle)
    if not isinstance(recommender, TwoStageRecommender):
        raise ArtifactError(f"{bundle.folder} holds no network that could teach; train one with `trifocal train`")
    return recommender
