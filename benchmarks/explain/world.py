"""What is explained: a data set, its token features and a bundle trained on it, each made once under the work folder.

The fashion data where the data folder holds it, else the generated shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.explain.plan import FULL, ROOT, Setting
from benchmarks.quality.steps import dataset_folder, train_missing, trifocal

__all__ = ["Ground", "World", "ground", "world"]


@dataclass(frozen=True)
class Ground:
    """Where the data set lies, and how it is encoded and trained on.

    Attributes:
        name: of the data set, as it stands in notes.
        is_real: whether it is the fashion data.
        split: that trainings are of.
        config: settings file of the trainings.
        features: folder of the token cache; it may have to be filled yet.
    """

    name: str
    is_real: bool
    split: str
    config: Path
    dataset: Path
    features: Path


@dataclass(frozen=True)
class World:
    """The ground, and a bundle that was trained on it."""

    ground: Ground
    bundle: Path


def ground(setting: Setting) -> Ground:
    """Return the ground of `setting`; a data set that is not there yet is imported, or generated."""
    real = setting.data is not None and setting.sizes == FULL
    name, split, file = ("hm-week", "hm-random", "hm.toml") if real else ("shop", "time", "shop.toml")
    if not real:
        _generate(setting)
    dataset = dataset_folder(name, setting.data, setting.out)
    return Ground(name, real, split, ROOT / "configs" / file, dataset, setting.out / "features")


def world(setting: Setting) -> World:
    """Return the world of `setting`; what is missing of it is made."""
    on = ground(setting)
    run = setting.out / on.split
    if not (run / "trifocal" / "bundle" / "manifest.json").is_file():
        trifocal("data", "encode", str(on.dataset), str(on.features), "--config", str(on.config))
    options = ["--split", on.split, "--config", str(on.config), "--cache", str(on.features)]
    # On the fashion data a training ends by itself.
    environment = (
        {"TRIFOCAL_DATA": str(setting.data)} if on.is_real else {"TRIFOCAL_TRAIN__EPOCHS": str(setting.sizes.epochs)}
    )
    train_missing(run, ["trifocal"], on.dataset, options, environment)
    return World(on, run / "trifocal" / "bundle")


def _generate(setting: Setting) -> None:
    folder, sizes = setting.out / "data" / "shop", setting.sizes
    if not (folder / "dataset.json").is_file():
        numbers = ["--products", str(sizes.products), "--shoppers", str(sizes.shoppers)]
        trifocal("shop", "generate", str(folder), *numbers, "--force")
