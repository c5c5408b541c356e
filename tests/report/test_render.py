"""The page stands alone, says everything that it was given, escapes names, and has a sound structure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from tests.report import sample

from trifocal.report import Page, Section, render_report, write_report

_VOID = {"meta", "img", "link", "br"}


class Outline(HTMLParser):
    """Checks that elements close in the order they open, and keeps the ids and the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(html: str) -> Outline:
    found = Outline()
    found.feed(html)
    assert found.open == []
    return found


def test_the_structure_is_sound() -> None:
    tags = outline(render_report(sample.page())).tags
    names = [name for name, _ in tags]
    assert names.count("h1") == names.count("main") == 1
    assert all("scope" in about for name, about in tags if name == "th")
    assert all(about.get("alt") for name, about in tags if name == "img")
    assert names.count("figure") == names.count("figcaption") == names.count("desc") == 4
    ids = [about["id"] for _, about in tags if "id" in about]
    assert len(ids) == len(set(ids))
    targets = {f"#{found}" for found in ids}
    assert {about["href"] for name, about in tags if name == "a"} <= targets


def test_nothing_comes_from_outside() -> None:
    page = render_report(sample.page())
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page)
    assert not re.findall(r"<script|<link|@import|url\((?!#)", page)
    assert not re.search(r"#0[1-9a-b]0[1-9a-b]0[1-9a-b]", page)


def test_what_was_given_is_said_and_escaped() -> None:
    page = render_report(sample.page())
    for said in (
        "One of &lt;everything&gt;", "&lt;b&gt;one", "one is above two (+3\u00a0%).", "1,234", "0.9 to 1.1", "n = 3",
        "&lt;i&gt;dress (a hit)", "picture of a shoe", "no pair looks wrong", "1 more model", ">nothing<",
        "trifocal sample &lt;x&gt;", "abc123", "&lt;b&gt;one: 0.500 (0.400 to 0.600); two: 0.300", "a sentence",
    ):  # fmt: skip
        assert said in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_equal_pages_give_equal_html(tmp_path: Path) -> None:
    write_report(tmp_path / "new" / "page.html", sample.page())
    assert (tmp_path / "new" / "page.html").read_text(encoding="utf-8") == render_report(sample.page())


def test_an_empty_page_has_no_contents_list() -> None:
    page = render_report(Page("sample", "Empty", [Section("Nothing", [])]))
    assert "<nav" not in page
    assert "<dl" not in page
    assert "Made by" not in page
