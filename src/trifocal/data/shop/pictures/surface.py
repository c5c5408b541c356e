"""What a product is made of, as it looks: colours, printed patterns, and the texture and sheen of materials.

All maps are (SIZE, SIZE) float32; colours are RGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from trifocal.data.shop.numbers import Numbers

__all__ = ["COLOUR_RGB", "FINISHES", "SIZE", "Finish", "pattern_map", "second_colour", "texture_map"]

SIZE = 224

COLOUR_RGB: dict[str, tuple[int, int, int]] = {
    "black": (43, 43, 48),
    "white": (240, 238, 234),
    "grey": (148, 151, 156),
    "beige": (216, 197, 168),
    "brown": (124, 82, 52),
    "red": (196, 45, 48),
    "mustard": (219, 166, 43),
    "olive": (112, 120, 66),
    "teal": (35, 134, 137),
    "navy": (38, 56, 104),
    "pink": (233, 150, 172),
    "purple": (122, 78, 150),
}
_CREAM, _INK = (246, 240, 228), (58, 54, 66)
# Colours light enough that a print on them is dark.
_LIGHT_COLOURS = {"white", "grey", "beige", "mustard", "pink"}


def second_colour(colour: str) -> tuple[int, int, int]:
    """Return the RGB (0 to 255) of what is printed on `colour`: cream on dark ground, ink on light ground."""
    return _INK if colour in _LIGHT_COLOURS else _CREAM


@dataclass(frozen=True)
class Finish:
    """How a material meets light.

    Attributes:
        bevel: contrast of the edges.
        volume: contrast of the large forms.
        gloss: strength of the highlights, 0 = none.
        grain: contrast of the texture.
    """

    bevel: float
    volume: float
    gloss: float
    grain: float


FINISHES: dict[str, Finish] = {
    "matte": Finish(bevel=0.16, volume=0.26, gloss=0.0, grain=0.025),
    "glossy": Finish(bevel=0.22, volume=0.42, gloss=0.75, grain=0.0),
    "knit": Finish(bevel=0.20, volume=0.30, gloss=0.0, grain=0.34),
    "leather": Finish(bevel=0.30, volume=0.36, gloss=0.34, grain=0.10),
    "denim": Finish(bevel=0.22, volume=0.26, gloss=0.0, grain=0.19),
}


@cache
def _grid() -> tuple[Numbers, Numbers]:
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    return x, y


@cache
def _noise(radius: float) -> Numbers:
    """Return fixed smooth noise, mean 0, standard deviation 1."""
    raw = np.random.default_rng(20260105).integers(0, 256, (SIZE, SIZE)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(raw).filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), dtype=np.float32)


@cache
def texture_map(material: str) -> Numbers:
    """Return the texture of `material`, about -1 (dark) to 1 (light)."""
    x, y = _grid()
    match material:
        case "knit":
            # Columns of stitches: a V leans left and right of every column's middle.
            lean = np.abs((x / 9) % 1 - 0.5)
            stitch = np.cos(2 * np.pi * (y / 7 + 1.1 * lean))
            groove = np.where(lean > 0.42, -0.6, 0.0)
            return np.asarray(0.75 * stitch + groove, dtype=np.float32)
        case "leather":
            return np.asarray(np.tanh(2.2 * np.abs(_noise(1.0)) - 1.1) + 0.35 * _noise(8.0), dtype=np.float32)
        case "denim":
            twill = np.sign(np.sin(2 * np.pi * (x + y) / 4.5))
            return np.asarray(0.45 * twill + 0.4 * _noise(0.7) + 0.25 * _noise(9.0), dtype=np.float32)
        case _:
            return np.asarray(_noise(0.6), dtype=np.float32)


def pattern_map(pattern: str, rng: np.random.Generator) -> Numbers:
    """Return where the second colour shows, 0 = ground, 1 = print; scale and place vary a little."""
    scale = float(rng.uniform(0.85, 1.2))
    x, y = _grid()
    # A slight wave, as cloth never lies quite flat.
    wave = 1.6 * np.sin(y / 23 + float(rng.uniform(0, 6)))
    x, y = x + wave + float(rng.uniform(0, 30)), y + 0.7 * wave + float(rng.uniform(0, 30))
    return np.asarray(_PATTERNS[pattern](x / scale, y / scale, rng), dtype=np.float32)


def _edge(values: Numbers, sharpness: float = 0.9) -> Numbers:
    """Return a soft step from 0 to 1 where `values`, in pixels, change sign."""
    return np.asarray(np.clip(values * sharpness + 0.5, 0, 1))


def _solid(x: Numbers, y: Numbers, rng: np.random.Generator) -> Numbers:
    return np.zeros_like(x)


def _stripes(x: Numbers, y: Numbers, rng: np.random.Generator) -> Numbers:
    along = y if rng.random() < 0.7 else x
    period = 20.0
    return _edge(np.abs(along % period - period / 2) - period * 0.29)


def _dots(x: Numbers, y: Numbers, rng: np.random.Generator) -> Numbers:
    period = 19.0
    row = np.floor(y / (period * 0.866))
    u = (x + 0.5 * period * (row % 2)) % period - period / 2
    v = y % (period * 0.866) - period * 0.433
    return _edge(5.0 - np.hypot(u, v))


def _checks(x: Numbers, y: Numbers, rng: np.random.Generator) -> Numbers:
    period = 26.0
    across = _edge(np.abs(x % period - period / 2) - period / 4)
    down = _edge(np.abs(y % period - period / 2) - period / 4)
    return np.asarray(0.45 * (across + down))


def _zigzag(x: Numbers, y: Numbers, rng: np.random.Generator) -> Numbers:
    height = np.abs(x % 26.0 - 13.0)
    return _edge(np.abs((y + height) % 22.0 - 11.0) - 6.0)


def _block(x: Numbers, y: Numbers, rng: np.random.Generator) -> Numbers:
    slope = float(rng.choice([0.0, 0.55, -0.55]))
    return _edge(y - float(rng.uniform(120, 138)) + slope * (x - SIZE / 2))


def _floral(x: Numbers, y: Numbers, rng: np.random.Generator) -> Numbers:
    """Return scattered five-petalled flowers on a jittered grid, with dark hearts and a few leaves."""
    sheet = Image.new("L", (2 * SIZE, 2 * SIZE), 0)
    draw = ImageDraw.Draw(sheet)
    step = 54
    for row in range(10):
        for column in range(10):
            centre = np.array([column + 0.5 * (row % 2), row]) * step + rng.uniform(-9, 9, 2)
            radius, turn = float(rng.uniform(7.5, 11.5)), float(rng.uniform(0, 2))
            _flower(draw, centre, radius, turn)
    return np.asarray(sheet.reduce(2), dtype=np.float32) / 255


def _flower(draw: ImageDraw.ImageDraw, centre: Numbers, radius: float, turn: float) -> None:
    for angle in turn + np.arange(5) * 2 * np.pi / 5:
        px, py = centre + radius * np.array([np.cos(angle), np.sin(angle)])
        draw.ellipse([px - radius * 0.72, py - radius * 0.72, px + radius * 0.72, py + radius * 0.72], fill=255)
    heart = radius * 0.5
    draw.ellipse([centre[0] - heart, centre[1] - heart, centre[0] + heart, centre[1] + heart], fill=70)
    lx, ly = centre + radius * 2.3 * np.array([np.cos(turn + 0.6), np.sin(turn + 0.6)])
    draw.ellipse([lx - 5, ly - 3, lx + 5, ly + 3], fill=150)


_PATTERNS: dict[str, Callable[[Numbers, Numbers, np.random.Generator], Numbers]] = {
    "solid": _solid,
    "stripes": _stripes,
    "dots": _dots,
    "checks": _checks,
    "floral": _floral,
    "zigzag": _zigzag,
    "block": _block,
}
