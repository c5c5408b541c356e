"""Draws one product: silhouette parts, lit from the upper left, on a soft background. Seeded; no file is touched.

Masks are drawn at twice the size and averaged down, so that edges are smooth. Light comes from the slope of each
blurred mask, as if the part were padded; it gives every silhouette volume without any 3-D model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.pictures.accessories import ACCESSORIES
from trifocal.data.shop.pictures.clothes import CLOTHES
from trifocal.data.shop.pictures.furnishings import FURNISHINGS
from trifocal.data.shop.pictures.outline import Part
from trifocal.data.shop.pictures.shoes import SHOES
from trifocal.data.shop.pictures.surface import (
    COLOUR_RGB,
    FINISHES,
    SIZE,
    Finish,
    pattern_map,
    second_colour,
    texture_map,
)
from trifocal.data.shop.pictures.tops import TOPS

__all__ = ["Look", "draw_product"]

_SUPERSAMPLING = 2
# Pixels around a part that its contact shadow needs.
_MARGIN = 8
_CONTACT_SHADOW = 0.22
_EDGE_RADIUS, _FORM_RADIUS = 3.0, 13.0
_PAD = 4
_QUARTER = 4
_SIDEWAYS = {"sneaker", "boot", "mug", "lamp", "hat"}
_STANDING = {"sneaker", "boot", "bag", "lamp", "chair", "mug"}
_BACKGROUNDS = ((238, 236, 232), (232, 234, 237), (241, 238, 230), (229, 231, 229), (240, 234, 232))
_NEUTRALS: dict[str, tuple[int, int, int]] = {
    "light": (236, 231, 222),
    "dark": (52, 47, 46),
    "metal": (186, 176, 150),
    "wood": (164, 118, 76),
    "glow": (255, 236, 190),
}
_NEUTRAL_FINISHES = {
    "metal": Finish(bevel=0.35, volume=0.45, gloss=0.6, grain=0.0),
    "glow": Finish(bevel=0.0, volume=0.0, gloss=0.0, grain=0.0),
}
_PLAIN = Finish(bevel=0.2, volume=0.25, gloss=0.05, grain=0.0)
# Towards the light: up and to the left.
_LIGHT = (-0.55, -0.83)


@dataclass(frozen=True)
class Look:
    """What a picture shows: the category's key and the four visible attributes, by name; `cut` is 0, 1 or 2."""

    category: str
    colour: str
    pattern: str
    material: str
    cut: int


@dataclass(frozen=True)
class _Layer:
    """A part as pixels: `cover` (height, width) in [0, 1] of the canvas' `window`."""

    part: Part
    window: tuple[slice, slice]
    cover: Numbers


@dataclass(frozen=True)
class _Cloth:
    """The product's own material: two colours (3,), where the second shows, and the texture, both (SIZE, SIZE)."""

    ground: Numbers
    printed: Numbers
    where: Numbers
    grain: Numbers

    def colour(self, role: str, window: tuple[slice, slice]) -> Numbers:
        """Return the colour of a part of `role` in `window`: (height, width, 3), or (3,) where it is plain."""
        match role:
            case "fabric":
                colour = self.ground + self.where[window][..., None] * (self.printed - self.ground)
            case "tone":
                colour = np.broadcast_to(0.76 * self.ground, (*self.grain[window].shape, 3)).copy()
            case "inside":
                return 0.5 * self.ground
            case _:
                return np.array(_NEUTRALS[role], dtype=np.float32) / 255
        grain = self.grain[window][..., None]
        colour *= 1 + grain
        # Black swallows texture: a little light is added where the grain stands up.
        colour += 0.12 * np.maximum(grain, 0)
        return colour


def draw_product(look: Look, rng: np.random.Generator) -> Image.Image:
    """Return a picture of SIZE x SIZE pixels."""
    layers = [_layer(part) for part in _placed(_silhouette(look.category, look.cut), look.category, rng)]
    cloth = _cloth(look, rng)
    whole = np.zeros((SIZE, SIZE), dtype=np.float32)
    for layer in layers:
        whole[layer.window] = np.maximum(whole[layer.window], layer.cover)
    canvas = _with_shadow(_background(int(rng.integers(len(_BACKGROUNDS)))), whole, standing=look.category in _STANDING)
    for layer in layers:
        _lay(canvas, layer, cloth.colour(layer.part.role, layer.window), _finish(layer.part.role, look.material))
    return Image.fromarray((np.clip(canvas, 0, 1) * 255 + 0.5).astype(np.uint8))


@cache
def _silhouette(category: str, cut: int) -> tuple[Part, ...]:
    return {**CLOTHES, **TOPS, **SHOES, **ACCESSORIES, **FURNISHINGS}[category][cut]()


def _placed(parts: tuple[Part, ...], category: str, rng: np.random.Generator) -> list[Part]:
    """Return `parts` slightly scaled, turned and moved, some of them mirrored: no two pictures are alike."""
    scale = float(rng.uniform(0.93, 1.03))
    angle = 0.0 if category in _STANDING else float(rng.normal(0, 0.025))
    flip = -1.0 if category in _SIDEWAYS and rng.random() < 0.5 else 1.0
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([flip, 1.0])
    shift = 0.5 + rng.uniform(-0.012, 0.012, 2)
    return [Part((part.points - 0.5) @ turn.T + shift, part.role, part.width, part.relief) for part in parts]


def _layer(part: Part) -> _Layer:
    """Return `part` as pixels: the window it needs, and how much of each pixel it covers."""
    margin = part.width * SIZE / 2 + _MARGIN
    low = np.clip(np.floor(part.points.min(axis=0) * SIZE - margin), 0, SIZE - 1).astype(int)
    high = np.clip(np.ceil(part.points.max(axis=0) * SIZE + margin), low + 1, SIZE).astype(int)
    width, height = (high - low) * _SUPERSAMPLING
    sheet = Image.new("L", (int(width), int(height)), 0)
    vertices = [(float(x), float(y)) for x, y in (part.points * SIZE - low) * _SUPERSAMPLING]
    _draw(ImageDraw.Draw(sheet), vertices, part.width * SIZE * _SUPERSAMPLING)
    cover = np.asarray(sheet.reduce(_SUPERSAMPLING), dtype=np.float32) / 255
    return _Layer(part, (slice(low[1], high[1]), slice(low[0], high[0])), cover)


def _draw(draw: ImageDraw.ImageDraw, vertices: list[tuple[float, float]], width: float) -> None:
    """Draw a filled area, or a line of `width` pixels with round ends."""
    if width == 0:
        draw.polygon(vertices, fill=255)
        return
    draw.line(vertices, fill=255, width=max(round(width), 2), joint="curve")
    for x, y in (vertices[0], vertices[-1]):
        draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)


def _cloth(look: Look, rng: np.random.Generator) -> _Cloth:
    grain = FINISHES[look.material].grain * np.roll(texture_map(look.material), rng.integers(0, SIZE, 2), axis=(0, 1))
    return _Cloth(
        ground=np.array(COLOUR_RGB[look.colour], dtype=np.float32) / 255 + rng.normal(0, 0.012, 3).astype(np.float32),
        printed=np.array(second_colour(look.colour), dtype=np.float32) / 255,
        where=pattern_map(look.pattern, rng),
        grain=grain,
    )


def _finish(role: str, material: str) -> Finish:
    return FINISHES[material] if role in ("fabric", "tone") else _NEUTRAL_FINISHES.get(role, _PLAIN)


@cache
def _background(number: int) -> Numbers:
    """Return backdrop `number`, (SIZE, SIZE, 3): a plain tint that darkens to the corners."""
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    light = 1.02 - 0.06 * (x**2 + (y - 0.1) ** 2)
    return np.asarray(light[..., None] * np.array(_BACKGROUNDS[number]) / 255, dtype=np.float32)


def _blurred(values: Numbers, radius: float) -> Numbers:
    sheet = Image.fromarray((values * 255).astype(np.uint8))
    return np.asarray(sheet.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255


def _with_shadow(canvas: Numbers, whole: Numbers, *, standing: bool) -> Numbers:
    """Return `canvas` with the shadow of what covers `whole`: on the floor, or on the table that it lies on."""
    if standing:
        rows = np.flatnonzero(whole.max(axis=1) > 0.5)
        columns = np.flatnonzero(whole[rows[-1] - 12 : rows[-1] + 1].max(axis=0) > 0.5)
        floor = Image.new("L", (SIZE, SIZE), 0)
        box = [int(columns[0]) - 8, int(rows[-1]) - 7, int(columns[-1]) + 14, int(rows[-1]) + 7]
        ImageDraw.Draw(floor).ellipse(box, fill=255)
        shadow = 0.42 * _blurred(np.asarray(floor, dtype=np.float32) / 255, 6)
    else:
        shadow = 0.30 * _moved(_blurred(whole, 7), down=7, right=4)
    return canvas * (1 - shadow[..., None])


def _lay(canvas: Numbers, layer: _Layer, colour: Numbers, finish: Finish) -> None:
    """Paint `layer` over `canvas` in place, lit by its own form."""
    under = canvas[layer.window]
    if layer.part.width == 0:
        soft = _blurred(np.pad(layer.cover, _PAD), _EDGE_RADIUS)
        light, shine = _lit(layer.cover, soft, finish, layer.part.relief)
        colour = colour * light[..., None]
        if finish.gloss > 0:
            colour += shine[..., None]
        contact = soft[_PAD - 2 : -_PAD - 2, _PAD - 1 : -_PAD - 1]
        under *= 1 - _CONTACT_SHADOW * contact[..., None]
    under += (colour - under) * layer.cover[..., None]


def _moved(values: Numbers, *, down: int, right: int) -> Numbers:
    """Return `values` moved by whole pixels; what comes in from outside is 0."""
    return np.pad(values, ((down, 0), (right, 0)))[: values.shape[0], : values.shape[1]]


def _lit(cover: Numbers, soft: Numbers, finish: Finish, relief: float) -> tuple[Numbers, Numbers]:
    """Return the light that falls on a part (1 = as it is) and the highlight that is added.

    Args:
        cover: (height, width) of the part.
        soft: `cover`, padded by _PAD and blurred by _EDGE_RADIUS.
        finish: how the material meets light.
        relief: how round the part looks.
    """
    edge = _slope(soft, _EDGE_RADIUS)[_PAD - 1 : 1 - _PAD, _PAD - 1 : 1 - _PAD]
    form = _form(cover)
    light = 1 + relief * (finish.bevel * edge + finish.volume * form)
    if finish.gloss == 0:
        return light, np.zeros((1, 1), dtype=np.float32)
    shine = finish.gloss * relief * (1.3 * np.clip(form - 0.30, 0, 1) ** 1.5 + 0.35 * np.clip(edge - 0.5, 0, 1))
    return light, np.minimum(shine, 0.7)


def _form(cover: Numbers) -> Numbers:
    """Return the slope of the large form, worked out at a quarter of the size: it is smooth anyway."""
    height, width = cover.shape
    pad = _QUARTER * 5
    padded = np.pad(cover, ((pad, pad + -height % _QUARTER), (pad, pad + -width % _QUARTER)))
    small = padded[::_QUARTER, ::_QUARTER]
    slope = _slope(_blurred(small, _FORM_RADIUS / _QUARTER), _FORM_RADIUS / _QUARTER)
    large = Image.fromarray(slope).resize(
        (slope.shape[1] * _QUARTER, slope.shape[0] * _QUARTER), Image.Resampling.BILINEAR
    )
    inner = pad - _QUARTER
    return np.asarray(large, dtype=np.float32)[inner : inner + height, inner : inner + width]


def _slope(soft: Numbers, radius: float) -> Numbers:
    """Return how far a form turns to the light, about -1 to 1, one pixel less on every side.

    `soft` is the form's cover, blurred by `radius`. The steepest slope of a blurred edge is
    1 / (radius * sqrt(2 pi)); the differences span two pixels.
    """
    down = soft[2:, 1:-1] - soft[:-2, 1:-1]
    right = soft[1:-1, 2:] - soft[1:-1, :-2]
    return -(_LIGHT[0] * right + _LIGHT[1] * down) * np.float32(radius * 1.2533)
