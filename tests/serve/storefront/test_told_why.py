from __future__ import annotations

from dataclasses import replace

import pytest

from trifocal.explain.explanation import Shares, Word
from trifocal.serve.asks import ItemExplanation
from trifocal.serve.storefront.told_why import Cell, Marked, told_why

EXPLAINED = ItemExplanation(
    score=1.0,
    words=(Word("Red", 0.4), Word("dress", -0.1), Word("the", 0.01), Word("warm", 0.2, "description")),
    cells=((0.0, 0.2), (-0.1, 0.0)),
    shares=Shares(0.5, 0.3, 0.0, 0.2, 0.0),
    nearest=None,
    sentence="It is red.",
    completeness_error=0.025,
)


def test_words_are_marked_by_their_weight_within_their_part() -> None:
    found = told_why(EXPLAINED)
    # Of the strongest, .4: all of it, a quarter, a fortieth, a half.
    title = (Marked("Red", 4, against=False), Marked("dress", 2, against=True), Marked("the", 0, against=False))
    assert found.parts == (("title", title), ("description", (Marked("warm", 3, against=False),)))
    assert found.strongest == ("Red", "warm")


def test_cells_fade_and_the_place_is_told() -> None:
    found = told_why(EXPLAINED)
    assert (found.columns, found.rows) == (2, 2)
    assert found.cells[1] == Cell(1, 0, 0.66, against=False)
    # Half the weight: .66 x .5 ** 1.5.
    assert found.cells[2] == Cell(0, 1, 0.233, against=True)
    assert found.place == "upper centre"


def test_shares_stand_in_their_order_in_percent() -> None:
    found = told_why(EXPLAINED)
    assert [(bar.name, bar.percent) for bar in found.bars[:3]] == [
        ("What it says", 50),
        ("What its picture shows", 30),
        ("What it is taken with", 20),
    ]
    assert found.error_percent == pytest.approx(2.5)


def test_where_nothing_speaks_nothing_is_drawn() -> None:
    silent = replace(EXPLAINED, words=(Word("a", 0.0),), cells=((0.0,),), shares=Shares(0, 0, 0, 0, 0))
    found = told_why(silent)
    assert (found.cells, found.place, found.bars, found.strongest) == ((), "", (), ())
    assert found.parts == (("title", (Marked("a", 0, against=False),)),)
