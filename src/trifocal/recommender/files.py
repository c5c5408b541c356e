"""Folders of bundles: copied where they are to stay, removed where nobody needs them any more."""

from __future__ import annotations

import shutil
import weakref
from pathlib import Path
from typing import TypeVar

from trifocal.bundle import read_bundle
from trifocal.errors import ConfigError

__all__ = ["copied", "removed_with"]

T = TypeVar("T")


def copied(bundle: Path, target: Path) -> Path:
    """Return `target`, into which the bundle was copied and found whole; what a server keeps hidden beside it is not.

    Raises:
        ConfigError: when something is there already.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} is not empty; name a new folder to save to")
    shutil.copytree(bundle, target, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
    read_bundle(target)
    return target


def removed_with(owner: T, folder: Path) -> T:
    """Return `owner`, with which `folder` goes."""
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return owner
