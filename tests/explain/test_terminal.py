from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console
from tests.explain.test_page import FOUND

from trifocal.explain.terminal import shown


def text_of(**changes: object) -> str:
    console = Console(width=90, file=io.StringIO(), record=True)
    console.print(shown(replace(FOUND, **changes), "Shoe [1]", lambda row: f"thing {row}"))  # type: ignore[arg-type]
    return console.export_text()


def test_everything_is_there() -> None:
    text = text_of()
    for part in (
        "Shoe [1]",
        "Because & so.",
        "red <b>",
        "▒▒▒▒    ",
        "text       ████████████ ",
        " 50 %",
        "thing 1 (0.90)",
    ):
        assert part in text
    assert "both: Shoes, red, shoe" in text
    assert "████\n" in text.replace(" ", "").replace("│", "")


def test_what_is_missing_is_left_out() -> None:
    text = text_of(words=(), cells=(), nearest=None)
    assert "most alike" not in text
    assert "old" not in text
