"""The sample shop that the living shop's figures are taken on: generated and trained once, then kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.feedback.plan import Setting
from benchmarks.latency.plan import ROOT
from benchmarks.latency.servers import Server, started

from trifocal.errors import ConfigError

__all__ = ["served", "shop_bundle", "shop_folder"]


def shop_folder(setting: Setting) -> Path:
    """Return the folder of the shop, generated where it is not there yet.

    Raises:
        ConfigError: when the one that is there has another size.
    """
    folder = setting.out / "shop"
    if not (folder / "dataset.json").is_file():
        sizes = setting.sizes
        _trifocal("shop", "generate", folder, "--force", "--products", sizes.products, "--shoppers", sizes.shoppers)
    _check(folder, setting.sizes.products)
    return folder


def _check(shop: Path, products: int) -> None:
    found = json.loads((shop / "summary.json").read_text(encoding="utf-8"))["items"]
    if found != products:
        raise ConfigError(
            f"the shop in {shop} has {found} products, {products} are wanted; remove it and what was trained on it"
        )


def shop_bundle(setting: Setting) -> Path:
    """Return the bundle of the shop, trained where it is not there yet."""
    bundle = setting.out / "shop-run" / "trifocal" / "bundle"
    if not (bundle / "manifest.json").is_file():
        config = ROOT / "configs" / "shop.toml"
        _trifocal("train", shop_folder(setting), setting.out / "shop-run", "--config", config)
    return bundle


@contextmanager
def served(bundle: Path, log: Path, *, config: Path, events: Path) -> Iterator[Server]:
    """Serve `bundle` in a process of its own while the block runs."""
    command = [sys.executable, "-m", "trifocal.cli", "serve", str(bundle), "--port", "0"]
    with started([*command, "--config", str(config), "--events", str(events)], log) as server:
        yield server


def _trifocal(*words: object) -> None:
    command: Sequence[str] = [sys.executable, "-m", "trifocal.cli", *map(str, words)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "2"})
