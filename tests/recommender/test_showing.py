from __future__ import annotations

from pathlib import Path

from PIL import Image

from trifocal.explain import Shares, Word
from trifocal.recommender.showing import Card, Explained, Gallery, thumbnail


def picture(folder: Path) -> Path:
    Image.new("RGB", (400, 300), "red").save(folder / "red.png")
    return folder / "red.png"


def test_a_gallery_holds_its_pictures_and_says_nothing_that_is_code(tmp_path: Path) -> None:
    html = Gallery(
        (("<b>", (Card("1", "A & B", ("9.00",), picture(tmp_path)), Card("2", "No picture"))),)
    )._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 1
    assert "A &amp; B" in html
    assert "&lt;b&gt;" in html
    assert thumbnail(None) is None
    assert len(thumbnail(picture(tmp_path)) or "") < 4000


def test_an_explanation_shows_words_cells_shares_and_the_nearest(tmp_path: Path) -> None:
    html = Explained(
        item_id="1",
        title="Red hat",
        sentence="Because of the hat.",
        score=1.0,
        words=(Word("Red", 0.4), Word("hat", -0.2)),
        cells=((0.1, 0.0), (0.0, -0.1)),
        shares=Shares(0.5, 0.25, 0.0, 0.25, 0.0),
        nearest_item_id="2",
        nearest_title="Blue hat",
        completeness_error=0.01,
        picture=picture(tmp_path),
    )._repr_html_()
    # The greatest weight has the deepest colour, half of it half.
    assert 'background:rgba(214,69,38,0.60);border-radius:3px;padding:0 2px">Red' in html
    assert 'background:rgba(38,108,214,0.30);border-radius:3px;padding:0 2px">hat' in html
    assert html.count("<i style") == 4
    assert "50 %" in html
    assert "Blue hat" in html
    assert "Because of the hat." in html


def test_a_terminal_shows_titles_and_no_files(tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    cards = (Card("a", "Red dress", picture=picture), Card("b", "Blue dress"))
    assert repr(Gallery((("for ann", cards), ("", cards[:1])))) == "for ann: Red dress, Blue dress\nRed dress"
