"""Visible style: the attributes that a picture shows, and the families that hold them together across categories.

Each product belongs to one family; the family sets how likely each colour, pattern, material and cut is.
Shoppers like families, so a taste seen on dresses holds for lamps. Texts rarely name any of this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.numbers import Numbers
from trifocal.types import IntArray

__all__ = [
    "COLOURS",
    "CUTS",
    "FAMILIES",
    "MATERIALS",
    "PATTERNS",
    "VISUAL_BLOCKS",
    "Style",
    "family_tastes",
    "sample_styles",
    "visual_vectors",
]

COLOURS = (
    "black", "white", "grey", "beige", "brown", "red", "mustard", "olive", "teal", "navy", "pink", "purple",
)  # fmt: skip
PATTERNS = ("solid", "stripes", "dots", "checks", "floral", "zigzag", "block")
MATERIALS = ("matte", "glossy", "knit", "leather", "denim")
# Every category draws its three silhouettes in this order, so that a cut means the same everywhere.
CUTS = ("slim", "relaxed", "dramatic")

VISUAL_BLOCKS: dict[str, tuple[str, ...]] = {
    "colour": COLOURS,
    "pattern": PATTERNS,
    "material": MATERIALS,
    "cut": CUTS,
}

# What each family prefers; everything else keeps the small weight _REST.
FAMILIES: dict[str, dict[str, float]] = {
    "minimal": {
        "black": 3, "white": 3, "grey": 3, "navy": 1,
        "solid": 7, "stripes": 1, "matte": 3, "leather": 2, "slim": 4,
    },
    "bold": {
        "red": 3, "purple": 2, "mustard": 1, "black": 1,
        "block": 4, "zigzag": 4, "glossy": 4, "dramatic": 4,
    },
    "retro": {
        "mustard": 3, "brown": 2, "teal": 3, "red": 1,
        "checks": 4, "dots": 3, "leather": 2, "knit": 1, "relaxed": 2, "slim": 1,
    },
    "natural": {
        "beige": 3, "olive": 3, "brown": 2, "white": 1,
        "solid": 4, "checks": 1, "knit": 4, "denim": 1, "relaxed": 4,
    },
    "sporty": {
        "navy": 3, "teal": 2, "grey": 2, "red": 1,
        "stripes": 4, "block": 3, "denim": 3, "glossy": 1, "slim": 2, "relaxed": 1,
    },
    "romantic": {
        "pink": 4, "purple": 2, "white": 1, "beige": 1,
        "floral": 6, "dots": 2, "matte": 2, "knit": 1, "dramatic": 2, "relaxed": 1,
    },
}  # fmt: skip
_REST = 0.12

# How much each block weighs in taste: colour and pattern catch the eye first.
_BLOCK_WEIGHTS = {"colour": 1.0, "pattern": 1.0, "material": 0.8, "cut": 0.8}


@dataclass(frozen=True)
class Style:
    """The visible style of N products, as codes into the tuples of this module; each (N,) int64."""

    family: IntArray
    colour: IntArray
    pattern: IntArray
    material: IntArray
    cut: IntArray


def _block_probabilities(names: tuple[str, ...]) -> Numbers:
    """Return (families, names) probabilities, rows summing to 1."""
    weights = np.array([[liked.get(name, _REST) for name in names] for liked in FAMILIES.values()])
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def sample_styles(size: int, rng: np.random.Generator) -> Style:
    """Return random styles of `size` products: a family each, the attributes given the family."""
    family = rng.integers(len(FAMILIES), size=size)
    drawn = {}
    for block, names in VISUAL_BLOCKS.items():
        edges = np.cumsum(_block_probabilities(names), axis=1)[family]
        drawn[block] = (rng.random((size, 1)) > edges[:, :-1]).sum(axis=1).astype(np.int64)
    return Style(family.astype(np.int64), **drawn)


def visual_vectors(style: Style) -> Numbers:
    """Return (N, attributes) one-hot codes of colour, pattern, material and cut, centred over the catalogue."""
    blocks = [np.eye(len(names), dtype=np.float32)[getattr(style, block)] for block, names in VISUAL_BLOCKS.items()]
    codes = np.concatenate(blocks, axis=1)
    return np.asarray(codes - codes.mean(axis=0))


def family_tastes() -> Numbers:
    """Return (families, attributes) the taste of a pure follower of each family: the log-odds of its attributes."""
    blocks = []
    for block, names in VISUAL_BLOCKS.items():
        logits = np.log(_block_probabilities(names))
        blocks.append(_BLOCK_WEIGHTS[block] * (logits - logits.mean(axis=1, keepdims=True)))
    return np.asarray(np.concatenate(blocks, axis=1), dtype=np.float32)
