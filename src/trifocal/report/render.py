"""A page -> one HTML file that stands alone: style, drawings and pictures inline, no script. Writes only that file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from trifocal import __version__
from trifocal.report.page import Card, Cell, Column, Page

__all__ = ["render_report", "write_report"]


def render_report(page: Page) -> str:
    """Return the HTML of `page`; equal pages give equal HTML."""
    return _template().render(page=page, version=__version__)


def write_report(path: Path, page: Page) -> None:
    """Write the HTML of `page` to `path`, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_report(page), encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("trifocal.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "column": _column, "svg": _svg, "unbroken": _unbroken, "alt": _alt}
    return environment.get_template("report.html")


def _cell(given: str | Cell) -> Cell:
    return Cell(given) if isinstance(given, str) else given


def _column(given: str | Column) -> Column:
    return Column(given) if isinstance(given, str) else given


def _svg(drawing: str) -> Markup:
    return Markup(drawing)  # noqa: S704 - our own drawing; the names in it are escaped by matplotlib


def _unbroken(text: str) -> str:
    """A per cent sign stays with its number."""
    return text.replace(" %", "\u00a0%")


def _alt(card: Card) -> str:
    return f"{card.title} (a hit)" if card.hit else card.title
