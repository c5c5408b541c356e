"""Picture files -> what can be said of each without a network: is it whole, is it blank, its perceptual hashes.

What was looked at is kept in `FOLDER/<number>.parquet`, by name, size and time of change of the file, so that an audit
that was stopped goes on, and only changed pictures are looked at again.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from trifocal.errors import ConfigError
from trifocal.progress import progress_bar

__all__ = ["Look", "look_at", "look_at_all"]

_SIDE = 64
_PART = 2048
_WORKERS = 2
# Of what a look holds: what is stored of another is looked at again.
_VERSION = 2
# Levels of 255 by which pixels of one colour may differ: JPEG is not exact, and a white shirt on white is no blank.
_SAME_COLOUR = 4


@dataclass(frozen=True)
class Look:
    """What a picture file is.

    Attributes:
        file: its name, relative to the picture folder.
        fault: why it cannot be used; "" = it decodes.
        pixels: its shorter side.
        one_colour: share of its pixels that are nearly of its median colour, 0..1.
        hashes: perceptual hash and difference hash, 64 bits each, in hex.
    """

    file: str
    fault: str = ""
    pixels: int = 0
    one_colour: float = 0.0
    hashes: tuple[str, str] = ("", "")


_SCHEMA = {
    "file": pl.String(),
    "fault": pl.String(),
    "pixels": pl.Int64(),
    "one_colour": pl.Float64(),
    "hashes": pl.List(pl.String()),
    "stamp": pl.String(),
}


def look_at_all(root: Path, files: Sequence[str], folder: Path) -> dict[str, Look]:
    """Return the look of each of `files` below `root`, from `folder` where an earlier run left it.

    Raises:
        ConfigError: when the package for perceptual hashes is not installed.
    """
    _require_imagehash()
    folder.mkdir(parents=True, exist_ok=True)
    stamps = {file: _stamp(root / file) for file in files}
    known = {file: look for file, (stamp, look) in _stored(folder).items() if stamps.get(file) == stamp}
    todo = [file for file in stamps if file not in known]
    if not todo:
        return known
    number = len(list(folder.glob("*.parquet")))
    with progress_bar("looking at pictures", len(todo)) as bar, ThreadPoolExecutor(_WORKERS) as pool:
        for start in range(0, len(todo), _PART):
            looks = list(pool.map(lambda file: look_at(root, file), todo[start : start + _PART]))
            _store(folder / f"{number + start // _PART:05d}.parquet", looks, stamps)
            known |= {look.file: look for look in looks}
            bar.advance(len(looks))
    return known


def look_at(root: Path, file: str) -> Look:
    """Return the look of the picture `file` below `root`."""
    try:
        small, pixels = _small(root / file)
    except FileNotFoundError:
        return Look(file, "there is no such file")
    except (OSError, SyntaxError, ValueError, IndexError, struct.error, Image.DecompressionBombError) as error:
        return Look(file, f"it cannot be decoded ({str(error) or type(error).__name__})".replace(str(root), "")[:200])
    return Look(file, "", pixels, _one_colour(small), _hashes(small))


def _small(path: Path) -> tuple[Image.Image, int]:
    """The whole file is read, so that a cut one is noticed; JPEG decodes straight to a fraction of its size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as picture:
            pixels = min(picture.size)
            picture.draft("RGB", (_SIDE * 2, _SIDE * 2))
            flat = picture.convert("RGBA") if picture.mode in ("RGBA", "LA", "P") else picture.convert("RGB")
    if flat.mode == "RGBA":
        ground = Image.new("RGBA", flat.size, (255, 255, 255, 255))
        flat = Image.alpha_composite(ground, flat).convert("RGB")
    return flat.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR), pixels


def _one_colour(small: Image.Image) -> float:
    colours = np.asarray(small, dtype=np.int16).reshape(-1, 3)
    distance = np.abs(colours - np.median(colours, axis=0)).max(axis=1)
    return float((distance <= _SAME_COLOUR).mean())


def _hashes(small: Image.Image) -> tuple[str, str]:
    """Perceptual hash (cosine transform) and difference hash: Krawetz, "Looks like it", 2011 and 2013."""
    import imagehash

    return str(imagehash.phash(small)), str(imagehash.dhash(small))


def _require_imagehash() -> None:
    try:
        import imagehash  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ConfigError("imagehash is not installed; `pip install 'trifocal[audit]'`") from error


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{_VERSION}-{found.st_size}-{found.st_mtime_ns}"


def _store(path: Path, looks: Sequence[Look], stamps: dict[str, str]) -> None:
    temporary = path.with_suffix(".tmp")
    pl.DataFrame([{**asdict(look), "stamp": stamps[look.file]} for look in looks], schema=_SCHEMA).write_parquet(
        temporary
    )
    temporary.replace(path)


def _stored(folder: Path) -> dict[str, tuple[str, Look]]:
    found: dict[str, tuple[str, Look]] = {}
    for path in sorted(folder.glob("*.parquet")):
        for row in pl.read_parquet(path).iter_rows(named=True):
            first, second = row["hashes"]
            look = Look(row["file"], row["fault"], row["pixels"], row["one_colour"], (first, second))
            found[look.file] = (row["stamp"], look)
    return found
