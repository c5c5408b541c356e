"""What is explained: a data set, its token features and a bundle trained on it, each made once under the work folder.

The fashion data where the data folder holds it, else the generated shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.explain.plan import FULL, ROOT, Setting
from benchmarks.quality.steps import dataset_folder, train_missing, trifocal

__all__ = ["World", "world"]


@dataclass(frozen=True)
class World:
    """Where everything lies.

    Attributes:
        name: as it stands in notes.
        split: that the bundle was trained on.
        config: settings file of the training.
    """

    name: str
    split: str
    config: Path
    dataset: Path
    features: Path
    bundle: Path


def world(setting: Setting) -> World:
    """Return the world of `setting`; what is missing of it is made."""
    real = setting.data is not None and setting.sizes == FULL
    name, split, file = ("hm-week", "hm-random", "hm.toml") if real else ("shop", "time", "shop.toml")
    if not real:
        _generate(setting)
    dataset = dataset_folder(name, setting.data, setting.out)
    features, config, run = setting.out / "features", ROOT / "configs" / file, setting.out / split
    if not (run / "trifocal" / "bundle" / "manifest.json").is_file():
        trifocal("data", "encode", str(dataset), str(features), "--config", str(config))
    options = ["--split", split, "--config", str(config), "--cache", str(features)]
    # On the fashion data a training ends by itself.
    environment = (
        {"TRIFOCAL_DATA": str(setting.data)} if real else {"TRIFOCAL_TRAIN__EPOCHS": str(setting.sizes.epochs)}
    )
    train_missing(run, ["trifocal"], dataset, options, environment)
    return World(name, split, config, dataset, features, run / "trifocal" / "bundle")


def _generate(setting: Setting) -> None:
    folder, sizes = setting.out / "data" / "shop", setting.sizes
    if not (folder / "dataset.json").is_file():
        numbers = ["--products", str(sizes.products), "--shoppers", str(sizes.shoppers)]
        trifocal("shop", "generate", str(folder), *numbers, "--force")
