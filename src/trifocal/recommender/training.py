"""A data set -> a trained bundle, with settings from anywhere. Thin over `train.pipeline`."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from trifocal import columns as c
from trifocal.data.cases import build_cases
from trifocal.data.dataset import Dataset
from trifocal.data.named_splits import named_split
from trifocal.data.splits import Split, cut_split, make_split, restrict
from trifocal.errors import ConfigError, DataError
from trifocal.evaluate.protocol import CasesValidator
from trifocal.settings import Settings, load_settings
from trifocal.train.pipeline import Job, train_bundle, variant_config
from trifocal.train.prepare import prepare_training
from trifocal.train.processes import training_processes
from trifocal.train.run import require_masked_text

__all__ = ["Training", "newest_split", "quiet", "settings_of", "trained"]

_NEWEST_SHARE = 0.1


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Attributes:
        settings: of all stages.
        model: one of `trifocal`, `text`, `image`, `ids`.
        split: name of a split; None = all events are learned from, see `newest_split`.
        folder: of data, features and models.
    """

    settings: Settings
    model: str
    split: str | None
    folder: Path


def settings_of(settings: Mapping[str, object] | str | Path | None, seed: int | None) -> Settings:
    """Return the settings in a mapping or TOML file over the defaults; `seed` stands above that of training.

    Raises:
        ConfigError: naming every unknown key and every value out of bounds.
    """
    if isinstance(settings, Mapping):
        sections: dict[str, Any] = dict(settings)
        try:
            found = Settings(**sections)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
            raise ConfigError(f"the settings cannot be used: {faults}; see configs/default.toml") from None
    else:
        found = load_settings(None if settings is None else Path(settings))
    if seed is None:
        return found
    return found.model_copy(update={"train": found.train.model_copy(update={"seed": seed})})


def trained(dataset: Dataset, training: Training) -> tuple[Path, Split]:
    """Return the folder of the bundle, and the split that it was trained on; a killed training goes on where it was.

    Raises:
        ConfigError: when there is no such model or split.
        DataError: when the events are too few to be split.
    """
    settings = training.settings
    require_masked_text(variant_config(training.model, settings.model), settings.train)
    split = newest_split(dataset) if training.split is None else named_split(dataset, training.split)
    whole, folder = restrict(dataset, split), training.folder / "models"
    job = Job(
        whole, split, settings.features, settings.model, settings.train, folder, training.folder / "features",
        refit=training.split is None,
    )  # fmt: skip
    layers = settings.model.text_trainable_layers
    with training_processes(settings.train.device):
        data = prepare_training(whole, split, settings.features, job.cache_folder, trainable_layers=layers)
        cases = build_cases(split, "validation", whole.vocabulary(), data.state.context)
        train_bundle(job, training.model, data, CasesValidator(cases.sample(settings.train.validation_users)))
    return folder / training.model / "bundle", split


def newest_split(dataset: Dataset, share: float = _NEWEST_SHARE) -> Split:
    """Return the split whose validation part is the newest `share` of the events, and whose test part is empty.

    Refitted, it learns from every event. Without times, each user's last event is the validation part.

    Raises:
        DataError: when nothing is left to learn from.
    """
    times = dataset.events[c.TIMESTAMP].drop_nulls().sort()
    if times.n_unique() < 2:
        return _last_of_each_user(dataset)
    second = times.filter(times > times[0])[0]
    first = max(times[int((1 - share) * len(times))], second)
    return cut_split(dataset, "newest", first, times[-1] + timedelta(microseconds=1))


def _last_of_each_user(dataset: Dataset) -> Split:
    left = pl.len().over(c.USER_ID) - 1 - pl.int_range(pl.len()).over(c.USER_ID)
    last = (left == 0) & (pl.len().over(c.USER_ID) > 1)
    events = dataset.events.with_columns(last.alias("last"))
    held, rest = events.filter("last").drop("last"), events.filter(~pl.col("last")).drop("last")
    if not len(held):
        raise DataError(f"none of the {dataset.events[c.USER_ID].n_unique():,} users has two events; give a longer log")
    return make_split("newest", rest, held, held.clear(), note="each user's last event, without times", leaky=True)


@contextlib.contextmanager
def quiet(*, silent: bool) -> Iterator[None]:
    """Draw no progress bar while the block runs, where it is to be `silent`."""
    if not silent:
        yield
        return
    with contextlib.redirect_stderr(io.StringIO()):
        yield
