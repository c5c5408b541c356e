"""Picture of a product -> the colours of the product, without the ground it lies on, and their names.

```
picture ─► small ─► ground = what the border is made of ─► the rest, holes filled ─► few colours, the middle counts most
```

Colours are CIELAB (D65), in which a distance of about 2 can just be seen. Letters: K colours of a picture.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from trifocal.features.colour_words import COLOURS, SHADES
from trifocal.types import BoolArray, FloatArray

__all__ = [
    "COLOURS_KEPT",
    "ColourSource",
    "DominantColours",
    "catalogue_colours",
    "colour_distance",
    "colour_names",
    "dominant_colours",
    "lab_of",
    "packed",
    "shade_shares",
    "shades_lab",
]

_LOGGER = logging.getLogger(__name__)

COLOURS_KEPT = 4
_SIDE = 96
# CIELAB distance from the ground above which a pixel is the product.
_GROUND_DISTANCE = 6.0
# The same inside an outline: white cloth on white paper still differs, paper seen through a ring does not.
_HOLE_DISTANCE = 1.5
# Strength of a colour up to which a ground is taken for grey paper in warm or cold light.
_MOST_CAST = 8.0
# Share of the border that must be alike to be called a ground, and of the picture that a product must have at least.
_GROUND_SHARE, _LEAST_PRODUCT = 0.5, 0.02
# Spread of the weight around the middle, of the picture's side.
_MIDDLE = 0.35
# How fast a colour stops to be called by a name, in CIE94 units: two neighbouring names lie about 15 apart.
_NAME_SPREAD = 7.0
_LEAST_SHARE = 0.2

# sRGB to CIE XYZ over the white of D65, IEC 61966-2-1.
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


@dataclass(frozen=True)
class DominantColours:
    """The colours of one product, the largest first.

    Attributes:
        lab: (K, 3) CIELAB.
        weights: (K,) shares of the product, sum 1.
    """

    lab: FloatArray
    weights: FloatArray


def lab_of(rgb: npt.ArrayLike) -> FloatArray:
    """Return CIELAB of sRGB values 0..255; (..., 3) both.

    Source: IEC 61966-2-1 and CIE 15:2004, white D65.

    >>> [round(float(value)) for value in lab_of([255, 0, 0])]  # Lindbloom's calculator: 53.24, 80.09, 67.20
    [53, 80, 67]
    """
    part = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    x, y, z = np.moveaxis(_root(linear @ _TO_XYZ.T / _WHITE), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def colour_distance(reference: FloatArray, other: FloatArray) -> FloatArray:
    """Return how different colours look; (..., 3) CIELAB both -> (...).

    Source: CIE94 for graphics (CIE 116-1995); strong colours are told apart less finely than greys.

    >>> grey, lighter, red = np.array([[50, 0, 0], [53, 0, 0], [50, 40, 0]], np.float32)
    >>> float(colour_distance(grey, lighter)), float(colour_distance(grey, red))
    (3.0, 40.0)
    >>> round(float(colour_distance(red, grey)), 2)  # 40 / (1 + .045 x 40)
    14.29
    """
    light = reference[..., 0] - other[..., 0]
    strength, others = (np.hypot(lab[..., 1], lab[..., 2]) for lab in (reference, other))
    chroma = strength - others
    squares = (reference[..., 1] - other[..., 1]) ** 2 + (reference[..., 2] - other[..., 2]) ** 2
    hue_squared = np.maximum(squares - chroma**2, 0)
    scaled = (chroma / (1 + 0.045 * strength)) ** 2 + hue_squared / (1 + 0.015 * strength) ** 2
    found: FloatArray = np.sqrt(light**2 + scaled)
    return found


def dominant_colours(path: str | Path, count: int = COLOURS_KEPT) -> DominantColours:
    """Return at most `count` colours of the product in the picture `path`.

    Raises:
        OSError: when the file is no picture that can be read.
    """
    rgb = _small(path)
    lab = lab_of(rgb)
    ground = _ground(lab)
    mask = _product(lab, ground)
    cloth = Image.fromarray(rgb[mask][None])
    few = cloth.quantize(count, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    palette = np.array(few.getpalette() or [], dtype=np.uint8).reshape(-1, 3)
    sizes = np.bincount(np.asarray(few)[0], weights=_middle(mask.shape)[mask], minlength=len(palette))
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    return DominantColours(lab_of(palette[order]) - _cast(ground), (sizes[order] / sizes.sum()).astype(np.float32))


def catalogue_colours(paths: Sequence[str | Path | None]) -> npt.NDArray[np.float16]:
    """Return (N, K, 4) CIELAB and share of each picture's colours; zeros = there is no picture that can be read."""
    table = np.zeros((len(paths), COLOURS_KEPT, 4), dtype=np.float16)
    faults = 0
    for row, path in enumerate(paths):
        if path is None:
            continue
        try:
            table[row] = packed(dominant_colours(path))
        except (OSError, ValueError, SyntaxError):
            faults += 1
    if faults:
        _LOGGER.warning("%d of %d pictures cannot be read; their products have no colours", faults, len(paths))
    return table


def packed(found: DominantColours) -> npt.NDArray[np.float16]:
    """Return (K, 4) what `catalogue_colours` holds of one picture."""
    row = np.zeros((COLOURS_KEPT, 4), dtype=np.float16)
    row[: len(found.weights), :3], row[: len(found.weights), 3] = found.lab, found.weights
    return row


class ColourSource:
    """The colours of pictures as a token source, so that the token cache keeps them. Stability: internal."""

    name = "colours"
    width = 4
    # Raised with whatever changes what `dominant_colours` finds.
    fingerprint = "colours-1"

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """Return (K, 4) CIELAB and share of the colours of each picture file."""
        return [packed(dominant_colours(path)).astype(np.float32) for path in contents]


def colour_names(path: str | Path) -> tuple[str, ...]:
    """Return the basic colours of the product in the picture `path`, such as `blue`, the largest first.

    Raises:
        OSError: when the file is no picture that can be read.
    """
    found = dominant_colours(path)
    shares = found.weights @ shade_shares(found.lab)
    parts = {name: float(sum(shares[k] for k, s in enumerate(SHADES) if s.colour == name)) for name in COLOURS}
    names = sorted(parts, key=lambda name: -parts[name])
    return tuple(name for name in names if parts[name] >= _LEAST_SHARE) or tuple(names[:1])


@cache
def shades_lab() -> FloatArray:
    """Return (shades, 3) CIELAB of every named shade, in the order of `SHADES`."""
    return lab_of([[int(shade.code[place : place + 2], 16) for place in (0, 2, 4)] for shade in SHADES])


def shade_shares(lab: FloatArray) -> FloatArray:
    """Return (..., shades) how much each of the colours `lab` (..., 3) is called by each name; they sum to 1."""
    distance = colour_distance(shades_lab(), lab[..., None, :])
    closeness = np.exp(-0.5 * ((distance - distance.min(axis=-1, keepdims=True)) / _NAME_SPREAD) ** 2)
    shares: FloatArray = (closeness / closeness.sum(axis=-1, keepdims=True)).astype(np.float32)
    return shares


def _small(path: str | Path) -> npt.NDArray[np.uint8]:
    """Return (height, width, 3) sRGB, the longer side `_SIDE`; what can be seen through shows white."""
    with Image.open(path) as picture:
        picture.draft("RGB", (_SIDE, _SIDE))
        picture.thumbnail((_SIDE, _SIDE))
        flat = picture.convert("RGBA")
    ground = Image.new("RGBA", flat.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(ground, flat).convert("RGB"), dtype=np.uint8)


def _ground(lab: FloatArray) -> FloatArray | None:
    """Return (3,) what most of the border is made of; None = it is made of no one thing.

    The lower edge does not count: many a product stands on it.
    """
    border = np.concatenate([lab[:2].reshape(-1, 3), lab[:, :2].reshape(-1, 3), lab[:, -2:].reshape(-1, 3)])
    ground: FloatArray = np.median(border, axis=0)
    alike = np.linalg.norm(border - ground, axis=-1) < _GROUND_DISTANCE
    return ground if alike.mean() >= _GROUND_SHARE else None


def _cast(ground: FloatArray | None) -> FloatArray:
    """Return (3,) what the light adds to every colour: paper that is nearly grey is taken for grey."""
    none = np.zeros(3, np.float32)
    if ground is None or np.hypot(*ground[1:]) > _MOST_CAST:
        return none
    return np.array([0, ground[1], ground[2]], np.float32)


def _product(lab: FloatArray, ground: FloatArray | None) -> BoolArray:
    """Return (height, width) which pixels are the product: all where no ground is seen, the middle where all is."""
    if ground is None:
        return np.ones(lab.shape[:2], np.bool_)
    distance = np.linalg.norm(lab - ground, axis=-1)
    other = distance > _GROUND_DISTANCE
    # White on white: its outline is closed before what it holds is filled; the hole of a ring is ground.
    filled = ndimage.binary_fill_holes(ndimage.binary_closing(other, iterations=2))
    mask: BoolArray = other | (filled & (distance > _HOLE_DISTANCE))
    # The outline is a mixture of product and ground.
    inside: BoolArray = ndimage.binary_erosion(mask)
    chosen = inside if inside.mean() >= _LEAST_PRODUCT else mask
    return chosen if chosen.mean() >= _LEAST_PRODUCT else _middle(mask.shape) > np.exp(-1)


@lru_cache(maxsize=64)
def _middle(shape: tuple[int, ...]) -> FloatArray:
    """(height, width) weight of each pixel, 1 in the middle."""
    down, across = ((np.arange(size) + 0.5 - size / 2) / max(shape) for size in shape)
    weight: FloatArray = np.exp(-(down[:, None] ** 2 + across[None, :] ** 2) / (2 * _MIDDLE**2)).astype(np.float32)
    return weight


def _root(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(values > 216 / 24389, np.cbrt(values), (24389 / 27 * values + 16) / 116)
