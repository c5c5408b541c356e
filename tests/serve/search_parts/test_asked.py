from __future__ import annotations

import numpy as np
import pytest

from trifocal.features.colour_words import SHADES
from trifocal.serve.search_parts.asked import Asked, read_query


def read(query: str, **options: bool) -> Asked:
    return read_query(query, {"shrit": "shirt"}.get, **options)


@pytest.mark.parametrize(
    ("query", "colours", "terms"),
    [
        ("striped shirt", [], ("strip", "shirt")),
        ("navy blue sweater", ["navy blue"], ("sweater",)),
        ("an off-white top in dark green", ["off white", "dark green"], ("top",)),
        ("denim shorts", [], ("denim", "short")),
        ("gray jeans", ["gray"], ("jean",)),
        # Nothing else is left: the colour is a word as well.
        ("red", ["red"], ("red",)),
    ],
)
def test_colours_are_told_from_words(query: str, colours: list[str], terms: tuple[str, ...]) -> None:
    asked = read(query)
    assert [colour.words for colour in asked.colours] == colours
    assert asked.terms == terms


def test_a_shade_is_wanted_most_and_its_colour_a_little() -> None:
    shades = read("navy shirt").colours[0].shades
    assert SHADES[int(shades.argmax())].word == "navy"
    assert {SHADES[place].colour for place in np.flatnonzero(shades)} == {"blue"}


def test_slips_are_put_right_and_named() -> None:
    asked = read("a blue shrit")
    assert (asked.text, asked.terms) == ("a shirt", ("shirt",))
    assert asked.corrected == (("shrit", "shirt"),)


def test_colours_may_be_left_to_the_words() -> None:
    assert read("red shirt", with_colours=False).terms == ("red", "shirt")
