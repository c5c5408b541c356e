"""Pictures: seeded, complete, and they show colour, pattern, material and cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trifocal.data.shop.pictures.render import Look, draw_product
from trifocal.data.shop.pictures.surface import COLOUR_RGB, FINISHES, SIZE, pattern_map, texture_map
from trifocal.data.shop.style import COLOURS, CUTS, MATERIALS, PATTERNS
from trifocal.data.shop.wares import WARES

_DRESS = Look("dress", "red", "solid", "matte", 1)


def _pixels(look: Look, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(draw_product(look, np.random.default_rng(seed)), dtype=np.float64)


@pytest.mark.parametrize("category", [ware.key for ware in WARES])
@pytest.mark.parametrize("cut", range(len(CUTS)))
def test_every_silhouette_is_drawn_inside_the_picture(category: str, cut: int) -> None:
    pixels = _pixels(Look(category, "red", "solid", "matte", cut))
    assert pixels.shape == (SIZE, SIZE, 3)
    red = (pixels[..., 0] > 1.5 * pixels[..., 1]) & (pixels[..., 0] > 60)
    assert 0.06 < red.mean() < 0.6
    border = np.concatenate([red[0], red[-1], red[:, 0], red[:, -1]])
    assert not border.any()


def test_the_same_seed_draws_the_same_picture_and_another_does_not() -> None:
    np.testing.assert_array_equal(_pixels(_DRESS, 1), _pixels(_DRESS, 1))
    assert (_pixels(_DRESS, 1) != _pixels(_DRESS, 2)).any()


@pytest.mark.parametrize("colour", COLOURS)
def test_the_colour_is_what_is_seen(colour: str) -> None:
    middle = _pixels(replace(_DRESS, colour=colour))[110:150, 100:108].mean(axis=(0, 1))
    distance = {name: np.abs(middle - rgb).sum() for name, rgb in COLOUR_RGB.items()}
    assert min(distance, key=lambda name: distance[name]) == colour


@pytest.mark.parametrize("change", [{"pattern": "dots"}, {"material": "knit"}, {"cut": 2}, {"colour": "teal"}])
def test_each_attribute_is_visible(change: dict[str, str | int]) -> None:
    other = replace(_DRESS, **change)  # type: ignore[arg-type]  # the fields are of two types
    assert np.abs(_pixels(_DRESS) - _pixels(other)).mean() > 2


@pytest.mark.parametrize("pattern", [name for name in PATTERNS if name != "solid"])
def test_a_pattern_leaves_ground_and_print(pattern: str) -> None:
    where = pattern_map(pattern, np.random.default_rng(0))
    assert where.shape == (SIZE, SIZE)
    assert where.min() >= 0
    assert where.max() <= 1
    assert 0.1 < where.mean() < 0.7


def test_solid_has_no_print() -> None:
    assert not pattern_map("solid", np.random.default_rng(0)).any()


def test_every_material_has_a_finish_and_its_own_texture() -> None:
    assert set(FINISHES) == set(MATERIALS)
    textures = [texture_map(name).ravel() for name in ("knit", "leather", "denim")]
    assert np.abs(np.corrcoef(textures) - np.eye(3)).max() < 0.5
