from __future__ import annotations

from pathlib import Path

from PIL import Image

from trifocal.explain import Explanation, Nearest, Shares, Word
from trifocal.explain.page import Shown, explanation_page

FOUND = Explanation(
    item_row=0,
    score=1.5,
    words=(Word("red <b>", 0.5), Word("old", -0.25)),
    cells=((0.25, 0.0), (0.0, -0.5)),
    shares=Shares(0.5, 0.25, 0.25, 0, 0),
    nearest=Nearest(1, 0.9, ("shoe",), ("red",), "Shoes"),
    sentence="Because & so.",
    completeness_error=0.01,
)


def test_a_page_stands_alone_and_says_all(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), (200, 0, 0)).save(tmp_path / "a.png")
    shown = Shown(FOUND, "Shoe <1>", tmp_path / "a.png", "Shoe 2", tmp_path / "a.png")
    page = explanation_page("Why?", [shown])
    assert page.count("<rect ") == 4
    assert 'fill="rgb(var(--against) / 0.500)"' in page  # the greatest of all weights, against the item
    assert 'fill="rgb(var(--for) / 0.250)"' in page
    assert "red &lt;b&gt;" in page
    assert "Shoe &lt;1&gt;" in page
    assert "Because &amp; so." in page
    assert "both: Shoes, red, shoe" in page
    assert "width: 50.0%" in page
    assert page.count("data:image/jpeg;base64,") == 2
    assert "http" not in page
    assert "<script" not in page


def test_without_picture_words_and_past(tmp_path: Path) -> None:
    bare = Explanation(0, 0.0, (), (), Shares(0, 0, 0, 0, 0), None, "You are new here.", 0.0)
    page = explanation_page("Why?", [Shown(bare, "Thing", None), Shown(bare, "Thing", tmp_path / "gone.png")])
    assert page.count("no picture") == 2
    assert "Its words" not in page
    assert "Most alike" not in page
