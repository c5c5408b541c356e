from __future__ import annotations

import pytest

from trifocal.explain import Nearest, Shares, Word
from trifocal.explain.sentence import place_name, sentence

WORDS = [Word("The", 0.4), Word("red", 0.3), Word("shoe", 0.1), Word("Red", 0.05), Word("old", -0.2)]
CELLS = [[0.0, 0.0], [0.0, 0.2]]


def test_with_history() -> None:
    nearest = Nearest(3, 0.9, ("running", "shoe", "light"), ("red",), "Shoes")
    told = sentence(words=WORDS, cells=CELLS, shares=Shares(0.5, 0.1, 0.05, 0.35, 0), nearest=nearest, title="Runner 2")
    assert told == (
        "Close to “Runner 2”, which you chose before: both are in “Shoes”, show red and say “running” and “shoe”; "
        "the words “red” and “shoe” and what people with your taste choose count most."
    )


def test_a_stranger() -> None:
    told = sentence(words=WORDS, cells=CELLS, shares=Shares(0.02, 0.05, 0, 0.93, 0), nearest=None)
    assert told == "You are new here; how others choose it counts most."


def test_a_search_by_words_and_picture() -> None:
    told = sentence(words=WORDS, cells=CELLS, shares=Shares(0.6, 0.4, 0, 0, 0), nearest=None, query="red shoes")
    assert told == "For «red shoes»: the words “red” and “shoe” and the lower right of the picture count most."


def test_without_words_or_picture_that_speak_for_it() -> None:
    shares = Shares(0.5, 0.5, 0, 0, 0)
    told = sentence(words=[Word("old", -0.2)], cells=[[-0.1]], shares=shares, nearest=None, query="")
    assert told == "For this search: its words and its picture count most."


def test_where_nothing_stands_out() -> None:
    shares = Shares(0, 0, 0, 0, 0)
    nearest = Nearest(3, 0.1)
    said = [
        sentence(words=(), cells=(), shares=shares, nearest=None, query="x"),
        sentence(words=(), cells=(), shares=shares, nearest=None),
        sentence(words=(), cells=(), shares=shares, nearest=nearest),
    ]
    assert said == [
        "For «x»: nothing stands out, it fits as a whole.",
        "You are new here; nothing about it stands out.",
        "Close to something you chose before.",
    ]


@pytest.mark.parametrize(("size", "middle"), [(3, 1), (5, 2), (1, 0)])
def test_the_middle_is_the_middle(size: int, middle: int) -> None:
    assert place_name(middle, middle, size, size) == "the middle of the picture"
