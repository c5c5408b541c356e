from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.serve.search_parts.word_index import ItemText, WordIndex

TEXTS = [ItemText("red boot", None), ItemText("blue boot", "a red lace"), ItemText(None, None)]


def test_scores_are_those_of_bm25_worked_by_hand() -> None:
    scores = WordIndex.of(TEXTS).scores(["red"])
    # Lengths 4, 6, 0: mean 10 / 3. In the title "red" counts 2, in the description 1. idf: log(1 + 1.5 / 2.5).
    idf = math.log(1 + 1.5 / 2.5)
    first = idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 4 / (10 / 3)))
    second = idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 6 / (10 / 3)))
    assert scores == pytest.approx([first, second, 0], rel=1e-3)
    assert scores.max() < WordIndex.of(TEXTS).most(["red"])


def test_an_unknown_term_scores_nothing() -> None:
    assert not WordIndex.of(TEXTS).scores(["sofa"]).any()


def test_a_changed_text_takes_the_place_of_the_old_one() -> None:
    before = WordIndex.of(TEXTS)
    after = before.with_text(0, ItemText("green hat", None)).with_text(3, ItemText("red hat", None))
    assert np.flatnonzero(after.scores(["red"])).tolist() == [1, 3]
    assert "hat" in after
    assert len(after) == 4
    assert np.flatnonzero(before.scores(["red"])).tolist() == [0, 1]
    # Rows that came and went since change nothing for the others.
    assert after.idf("red") == before.idf("red")
    assert not after.with_text(3, None).scores(["red"])[3]


@pytest.mark.parametrize(
    ("typed", "meant"), [("shrit", "shirt"), ("trosuer", "trouser"), ("zzzzzz", None), ("bot", None)]
)
def test_slips_of_spelling(typed: str, meant: str | None) -> None:
    index = WordIndex.of([ItemText("shirt", "short short"), ItemText("trouser", None), ItemText("short", None)])
    assert index.spelt(typed) == meant


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from(["red", "boot", "hat"]), max_size=5), min_size=1, max_size=6))
def test_changing_every_text_to_itself_changes_no_score(held: list[list[str]]) -> None:
    texts = [ItemText(" ".join(words), None) for words in held]
    built = WordIndex.of(texts)
    changed = built
    for row, text in enumerate(texts):
        changed = changed.with_text(row, text)
    for term in ("red", "boot", "hat"):
        assert changed.scores([term]) == pytest.approx(built.scores([term]), rel=2e-3)
