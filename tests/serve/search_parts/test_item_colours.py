from __future__ import annotations

import numpy as np
import pytest

from trifocal.features.colour_words import SHADES
from trifocal.features.product_colours import lab_of
from trifocal.serve.search_parts.item_colours import ItemColours
from trifocal.types import FloatArray

RED = np.array([shade.colour == "red" for shade in SHADES], np.float32)


def colours(*parts: tuple[tuple[int, int, int], float]) -> FloatArray:
    found = np.zeros((4, 4), np.float32)
    for place, (rgb, share) in enumerate(parts):
        found[place] = [*lab_of(rgb), share]
    return found


def test_shares_are_those_of_the_product() -> None:
    red, black = (200, 30, 42), (18, 18, 20)
    table = ItemColours.of(np.stack([colours((red, 1.0)), colours((black, 0.75), (red, 0.25)), colours()]))
    assert table.known.tolist() == [True, True, False]
    assert table.shares(RED) == pytest.approx([1, 0.25, 0], abs=0.2)


def test_a_new_item_and_one_without_a_picture() -> None:
    table = ItemColours.none(1).with_item(1, colours(((200, 30, 42), 1.0)))
    assert table.known.tolist() == [False, True]
    assert table.with_item(1, None).known.tolist() == [False, False]
    assert table.shares(RED)[1] > 0.8
