from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from trifocal.features.colour_words import COLOURS, SHADES, SYNONYMS
from trifocal.features.product_colours import (
    catalogue_colours,
    colour_distance,
    colour_names,
    dominant_colours,
    lab_of,
    shade_shares,
    shades_lab,
)


def picture(path: Path, *fills: str, ground: str = "#f4f3f1", size: tuple[int, int] = (150, 220)) -> Path:
    """Draw a product of vertical bars of `fills` before `ground`."""
    drawn = Image.new("RGB", size, ground)
    width = 90 // len(fills)
    for place, fill in enumerate(fills):
        ImageDraw.Draw(drawn).rectangle((30 + place * width, 30, 29 + (place + 1) * width, 190), fill=fill)
    drawn.save(path)
    return path


# Lindbloom's calculator, D65.
@pytest.mark.parametrize(
    ("rgb", "lab"),
    [((0, 0, 0), (0, 0, 0)), ((0, 0, 255), (32.3, 79.2, -107.9)), ((119, 119, 119), (50.0, 0, 0))],
)
def test_lab_of_known_colours(rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    assert lab_of(rgb) == pytest.approx(lab, abs=0.06)


@pytest.mark.parametrize(
    ("fill", "name"),
    [("#c81e2a", "red"), ("#111111", "black"), ("#3468a8", "blue"), ("#1e2740", "blue"), ("#6a4430", "brown"),
     ("#fdfdfd", "white"), ("#d3c0a3", "beige"), ("#f3cf3d", "yellow")],
)  # fmt: skip
def test_the_ground_does_not_count(tmp_path: Path, fill: str, name: str) -> None:
    for ground in ("#ffffff", "#e2e2e2"):
        assert colour_names(picture(tmp_path / "p.png", fill, ground=ground))[0] == name


def test_two_colours_are_named_the_larger_first(tmp_path: Path) -> None:
    assert colour_names(picture(tmp_path / "p.png", "#c81e2a", "#c81e2a", "#111111")) == ("red", "black")


def test_shares_sum_to_one_and_fall(tmp_path: Path) -> None:
    found = dominant_colours(picture(tmp_path / "p.png", "#c81e2a", "#3468a8", "#f3cf3d"))
    assert found.lab.shape == (len(found.weights), 3)
    assert found.weights.sum() == pytest.approx(1)
    assert (np.diff(found.weights) <= 0).all()


def test_a_product_that_fills_the_picture_is_all_of_it(tmp_path: Path) -> None:
    Image.effect_noise((80, 80), 90).convert("RGB").save(tmp_path / "p.png")
    assert dominant_colours(tmp_path / "p.png").weights.sum() == pytest.approx(1)


def test_a_blank_picture_has_the_colour_of_its_middle(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "#c81e2a").save(tmp_path / "p.png")
    assert colour_names(tmp_path / "p.png") == ("red",)


def test_what_can_be_seen_through_is_ground(tmp_path: Path) -> None:
    drawn = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).ellipse((20, 20, 80, 80), fill="#2f7d4a")
    drawn.save(tmp_path / "p.png")
    assert colour_names(tmp_path / "p.png") == ("green",)


def test_a_missing_or_broken_picture_has_no_colours(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"broken")
    found = catalogue_colours([None, tmp_path / "broken.png", picture(tmp_path / "p.png", "#c81e2a")])
    assert found.shape == (3, 4, 4)
    assert not found[:2].any()
    assert found[2, :, 3].sum() == pytest.approx(1, abs=2e-3)


def test_every_shade_is_called_by_its_own_name_first() -> None:
    shares = shade_shares(shades_lab())
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(SHADES)), abs=1e-5)
    assert (shares.argmax(axis=1) == np.arange(len(SHADES))).all()


def test_distance_is_zero_only_to_itself() -> None:
    lab = shades_lab()
    distance = colour_distance(lab[:, None], lab[None])
    assert np.diagonal(distance) == pytest.approx(np.zeros(len(lab)), abs=1e-4)
    assert (distance + 99 * np.eye(len(lab))).min() > 1


def test_words_are_unique_and_synonyms_lead_somewhere() -> None:
    words = [shade.word for shade in SHADES]
    assert len(set(words)) == len(words)
    assert set(COLOURS) <= set(words)
    assert set(SYNONYMS.values()) <= set(words)
    assert not set(SYNONYMS) & set(words)
