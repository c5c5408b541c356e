"""Writes the pictures of the catalogue: FOLDER/<item_id>.jpg, each from its own seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trifocal.data.shop.pictures.render import Look, draw_product
from trifocal.data.shop.style import COLOURS, MATERIALS, PATTERNS, Style
from trifocal.data.shop.wares import WARES
from trifocal.progress import progress_bar
from trifocal.types import IntArray

__all__ = ["picture_name", "write_pictures"]

_QUALITY = 88


def picture_name(item_id: str) -> str:
    """Return the file name of a product's picture."""
    return f"{item_id}.jpg"


def write_pictures(folder: Path, item_ids: Sequence[str], category: IntArray, style: Style, *, seed: int) -> None:
    """Draw and write one picture for each of N products, creating `folder`; the same seed writes the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    with progress_bar("Drawing the pictures", len(item_ids)) as bar:
        for row, item_id in enumerate(item_ids):
            rng = np.random.default_rng([seed, row])
            picture = draw_product(_look(category, style, row), rng)
            picture.save(folder / picture_name(item_id), quality=_QUALITY)
            bar.advance()


def _look(category: IntArray, style: Style, row: int) -> Look:
    return Look(
        category=WARES[category[row]].key,
        colour=COLOURS[style.colour[row]],
        pattern=PATTERNS[style.pattern[row]],
        material=MATERIALS[style.material[row]],
        cut=int(style.cut[row]),
    )
