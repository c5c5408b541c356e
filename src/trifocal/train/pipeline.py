"""One named model from data set to bundle: prepare, train, refit where asked, export."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from trifocal.bundle import Manifest, write_bundle
from trifocal.data.dataset import Dataset
from trifocal.data.splits import Split
from trifocal.errors import ConfigError
from trifocal.features.config import FeaturesConfig
from trifocal.model import ModelConfig
from trifocal.model.config import Modality
from trifocal.model.two_stage import Blend
from trifocal.ports import Validator
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData
from trifocal.train.distill_teacher import Teacher
from trifocal.train.export import bundle_contents
from trifocal.train.loop import TrainedModel, train_model
from trifocal.train.prepare import prepare_training
from trifocal.train.processes import first_then_others, from_first

__all__ = ["VARIANTS", "Job", "train_bundle", "variant_config"]

# The same towers with one modality switched off are the baselines of the paper's table 2.
VARIANTS: dict[str, tuple[Modality, ...]] = {
    "trifocal": ("text", "image", "ids"),
    "text": ("text", "ids"),
    "image": ("image", "ids"),
    "ids": ("ids",),
}


def variant_config(name: str, config: ModelConfig) -> ModelConfig:
    """Return `config` with the modalities of the variant `name`.

    Raises:
        ConfigError: when there is no such variant.
    """
    if name not in VARIANTS:
        raise ConfigError(f"there is no model {name!r}; choose among {', '.join(VARIANTS)}")
    return config.model_copy(update={"modalities": VARIANTS[name]})


@dataclass(frozen=True)
class Job:
    """A data set, its split and all settings: what every variant of a run shares.

    Attributes:
        dataset: restricted to the split's items.
        folder: of the run; each variant has a folder in it.
        cache_folder: token features, shared between runs.
        refit: train again on train + validation for as many epochs as were best.
        excluded: ids of the items whose pictures `dataset` is without, for the bundle to say so.
    """

    dataset: Dataset
    split: Split
    features: FeaturesConfig
    model: ModelConfig
    train: TrainConfig
    folder: Path
    cache_folder: Path
    refit: bool = False
    excluded: tuple[str, ...] = ()


def train_bundle(
    job: Job, name: str, data: TrainingData, validate: Validator, teacher: Teacher | None = None
) -> Manifest:
    """Train the variant `name` on `data` and write `<run>/<name>/bundle`; a killed run goes on where it was.

    With a `teacher` the name is free, the modalities are those of the job, and the blend is the teacher's.
    """
    model_config = variant_config(name, job.model) if teacher is None else job.model
    folder, given = job.folder / name, None if teacher is None else teacher.blend
    trained = _trained(
        job,
        name,
        model_config,
        data,
        job.train,
        folder / "checkpoints",
        validate=validate,
        blend=given,
        teacher=teacher,
    )
    validation, curve = trained.validation, trained.progress.curve
    if job.refit:
        epochs = trained.progress.best_epoch
        config = job.train.model_copy(update={"epochs": epochs, "patience": epochs})
        later, layers = job.split.refit(), job.model.text_trainable_layers
        data = first_then_others(
            lambda: prepare_training(job.dataset, later, job.features, job.cache_folder, trainable_layers=layers)
        )
        trained = _trained(
            job, name, model_config, data, config, folder / "refit", blend=trained.blend, teacher=teacher
        )
    contents = bundle_contents(
        trained,
        data,
        job.dataset,
        model_config=model_config,
        features_config=job.features,
        validation=validation,
        split_name=job.split.name + (", refit on train + validation" if job.refit else ""),
        excluded=job.excluded,
    )
    # The curve of the training that had a validation part to be chosen on, whatever was trained after it.
    contents = replace(contents, metrics=contents.metrics | {"curve": curve or [], "metric": job.train.metric})
    return from_first(lambda: write_bundle(contents, folder / "bundle", overwrite=True))


def _trained(
    job: Job,
    name: str,
    model_config: ModelConfig,
    data: TrainingData,
    config: TrainConfig,
    folder: Path,
    *,
    validate: Validator | None = None,
    blend: Blend | None = None,
    teacher: Teacher | None = None,
) -> TrainedModel:
    return train_model(
        data,
        name=name,
        model_config=model_config,
        config=config,
        compact_size=job.features.compact_size,
        folder=folder,
        validate=validate,
        blend=blend,
        teacher=teacher,
    )
