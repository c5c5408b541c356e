"""Picture files -> is each there, and does it decode? Reads the files; changes and copies none."""

from __future__ import annotations

import io
import os
import struct
import warnings
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import Enum
from pathlib import Path, PurePosixPath

import polars as pl
from PIL import Image

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.progress import progress_bar

__all__ = ["PictureState", "check_pictures", "without_pictures"]

_FORMATS = ("JPEG", "PNG", "WEBP")
# JPEG decodes straight to an eighth of its size: all of its data is read, little of it is computed.
_DRAFT_SIZE = (32, 32)
_AT_ONCE = 256


class PictureState(Enum):
    """What a picture file is good for."""

    GOOD = "good"
    MISSING = "missing"
    BROKEN = "broken"


def check_pictures(root: Path, files: Sequence[str]) -> list[PictureState]:
    """Return the state of each of `files`, in order.

    Args:
        root: the picture folder.
        files: paths relative to `root`; one that leads out of it counts as missing.
    """
    with progress_bar("checking pictures", len(files)) as bar, warnings.catch_warnings():
        # A picture of so many pixels that Pillow suspects an attack is none that we want to decode later.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with ThreadPoolExecutor(max_workers=min(8, (os.cpu_count() or 1) + 1)) as pool:
            states: list[PictureState] = []
            for start in range(0, len(files), _AT_ONCE):
                part = files[start : start + _AT_ONCE]
                states.extend(pool.map(lambda file: _state_of(root, file), part))
                bar.advance(len(part))
    return states


def without_pictures(dataset: Dataset, items: Collection[str]) -> Dataset:
    """Return `dataset` with the pictures of `items` treated as missing; the items and their events stay."""
    left_out = pl.col(c.ITEM_ID).is_in(sorted(items))
    picture = pl.when(left_out).then(None).otherwise(pl.col(c.IMAGE)).alias(c.IMAGE)
    return replace(dataset, items=dataset.items.with_columns(picture))


def _state_of(root: Path, file: str) -> PictureState:
    inside = PurePosixPath(os.path.normpath(file))
    if inside.is_absolute() or inside.parts[:1] == ("..",):
        return PictureState.MISSING
    try:
        content = (root / file).read_bytes()
    except (OSError, ValueError):
        return PictureState.MISSING
    return PictureState.GOOD if _decodes(content) else PictureState.BROKEN


def _decodes(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            picture.verify()
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            picture.draft("RGB", _DRAFT_SIZE)
            picture.load()
    except (
        OSError,
        SyntaxError,
        ValueError,
        IndexError,
        struct.error,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        return False
    return True
