from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np

from trifocal.evaluate.item_curve import ItemCurve, Pairs, item_curve
from trifocal.evaluate.item_curve_page import item_curve_json, item_curve_markdown
from trifocal.evaluate.item_curve_plot import item_curve_plot

USERS = 60


def curve(models: int = 2) -> ItemCurve:
    """Every user takes item 0 at level 0 and item 1 at level 5; `good` has them in front, the others item 1 alone."""
    owners = np.repeat(np.arange(USERS), 2)
    pairs = Pairs(owners, np.tile([0, 1], USERS), np.tile([0, 5], USERS))
    lists = {"good": [np.tile(np.arange(20), (USERS, 1))]}
    lists |= {f"poor {place}": [np.tile(np.arange(1, 21), (USERS, 1))] for place in range(1, models)}
    return ItemCurve(
        "toy", "cold", "made up", "0123456789abcdef", 25, dict.fromkeys(lists, 1), item_curve(lists, pairs)
    )


def test_the_tables_name_levels_models_and_counts() -> None:
    text = item_curve_markdown(curve())
    assert "| Model | 0 | 5 |" in text
    assert "| good | **1.000** (1.000–1.000) | **1.000** (1.000–1.000) |" in text
    # The first differs at level 0 alone.
    assert "| poor 1 | 0.000\\* (0.000–0.000) | **1.000** (1.000–1.000) |" in text
    assert "| *test events / items* | 60 / 1 | 60 / 1 |" in text
    # Item 1 is at place 2 of the good list: 1 / log2 3 = 0.631.
    assert "0.631 (0.631–0.631)" in text
    assert "full ranking of 25 items" in text


def test_the_json_can_be_read_back_and_holds_every_level() -> None:
    found = json.loads(json.dumps(item_curve_json(curve()), allow_nan=False))
    assert [level["interactions"] for level in found["levels"]] == [0, 5]
    assert found["levels"][0]["models"]["poor 1"]["recall@20"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert found["levels"][0]["differences"]["recall@20"]["poor 1"]["mean"] == 1.0
    # A share of nothing is no number.
    assert found["levels"][0]["differences"]["recall@20"]["poor 1"]["relative"] is None


def test_the_plot_stands_alone_and_names_every_model() -> None:
    text = item_curve_plot(curve(9))
    root = ElementTree.fromstring(text)  # noqa: S314 - our own text
    assert root.tag.endswith("svg")
    assert "prefers-color-scheme:dark" in text
    assert "#010101" not in text
    for name in ("good", "poor 1", "poor 8"):
        assert text.count(f">{name}<") == 2
    assert item_curve_plot(curve(9)) == text


def test_one_model_alone_can_be_drawn() -> None:
    assert ">good<" in item_curve_plot(curve(1))
