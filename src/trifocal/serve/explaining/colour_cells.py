"""Where in a picture an asked colour is. Letters: R x C cells of the picture, padded to a square; S shades."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from trifocal.features.product_colours import colour_distance, dominant_colours, lab_of, shade_shares
from trifocal.types import FloatArray

__all__ = ["colour_cells"]

_PIXELS = 12
# A pixel further from every colour of the product than this in CIE94 is none of it.
_ALIKE = 9.0
# Spread of the weight around the middle, of the picture's side: the ground lies outside.
_MIDDLE = 0.35


def colour_cells(path: str, shades: FloatArray, side: int) -> FloatArray:
    """Return (R, C) how much of each cell is of the product's colours that `shades` (S,) ask for; sum 1.

    Args:
        path: of the picture.
        shades: how well each shade does.
        side: R = C.

    Raises:
        OSError: when the picture cannot be read.
    """
    product = dominant_colours(path)
    called = shade_shares(product.lab) @ shades
    with Image.open(path) as picture:
        square = ImageOps.pad(picture.convert("RGB"), (side * _PIXELS,) * 2, color="white")
    distance = colour_distance(product.lab, lab_of(np.asarray(square))[:, :, None])
    nearest = distance.argmin(axis=-1)
    pixels = np.where(distance.min(axis=-1) < _ALIKE, called[nearest], 0) * _weight(side * _PIXELS)
    cells = pixels.reshape(side, _PIXELS, side, _PIXELS).sum(axis=(1, 3))
    total = float(cells.sum())
    return (cells / total if total > 0 else np.full((side, side), 1 / side**2)).astype(np.float32)


def _weight(side: int) -> FloatArray:
    """(side, side) weight of each pixel, 1 in the middle."""
    away = (np.arange(side) + 0.5) / side - 0.5
    found: FloatArray = np.exp(-(away[:, None] ** 2 + away[None] ** 2) / (2 * _MIDDLE**2))
    return found
