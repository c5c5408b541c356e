"""Answers as a notebook shows them: pictures, highlighted words, a heat map. HTML that holds all it needs.

Colours are the notebook's own where they can be, so that dark and light themes both read well.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image

from trifocal.explain import Shares, Word

__all__ = ["Card", "Explained", "Gallery", "thumbnail"]

_SIDE = 128
_QUALITY = 72


def thumbnail(file: Path | None, side: int = _SIDE) -> str | None:
    """Return the picture in `file` as the address of a small JPEG that stands in the page itself; None without one."""
    if file is None:
        return None
    with Image.open(file) as picture:
        small = picture.convert("RGB")
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


@dataclass(frozen=True)
class Card:
    """One item of a gallery.

    Attributes:
        item_id: of the outside world.
        title: bold, under the picture.
        lines: further lines, small.
        picture: file of the picture, or None.
    """

    item_id: str
    title: str
    lines: tuple[str, ...] = ()
    picture: Path | None = None

    def html(self) -> str:
        """Return the card."""
        more = "".join(f'<div style="opacity:.75">{escape(line)}</div>' for line in self.lines)
        return (
            f'<div style="width:{_SIDE}px;font-size:12px;line-height:1.35">{_picture(self.picture, self.title)}'
            f'<div style="font-weight:600">{escape(self.title)}</div>{more}</div>'
        )


@dataclass(frozen=True)
class Gallery:
    """Rows of cards, each under its heading; what `Recommender.show` returns. Stability: caller."""

    rows: tuple[tuple[str, tuple[Card, ...]], ...]

    def __repr__(self) -> str:
        """Return what a terminal shows: titles, a row a line."""
        return "\n".join(
            f"{heading}: {', '.join(card.title for card in cards)}" if heading else ", ".join(c.title for c in cards)
            for heading, cards in self.rows
        )

    def _repr_html_(self) -> str:
        return "".join(
            f'<div style="margin:12px 0"><div style="font-weight:600;margin-bottom:6px">{escape(heading)}</div>'
            f'<div style="display:flex;flex-wrap:wrap;gap:14px">{"".join(card.html() for card in cards)}</div></div>'
            for heading, cards in self.rows
        )


@dataclass(frozen=True)
class Explained:
    """Why one item for one shopper; what `Recommender.explain` returns. Stability: caller.

    Attributes:
        item_id: of the item.
        title: of the item.
        sentence: the reason in one plain sentence.
        score: that was explained.
        words: in the order of the text, signed weights.
        cells: R rows of C signed weights over the picture; empty = no picture.
        shares: of text, picture, attributes, identity and context, together 1.
        nearest_item_id: the item of the shopper's own history that is most alike, or None.
        nearest_title: of that item.
        completeness_error: how far the attributions are from adding up, relative.
        picture: file of the item's picture, or None.
        nearest_picture: file of the nearest item's picture, or None.
    """

    item_id: str
    title: str
    sentence: str
    score: float
    words: tuple[Word, ...]
    cells: tuple[tuple[float, ...], ...]
    shares: Shares
    nearest_item_id: str | None
    nearest_title: str | None
    completeness_error: float
    picture: Path | None = None
    nearest_picture: Path | None = None

    def __repr__(self) -> str:
        """Return what a terminal shows: title and sentence."""
        return f"{self.title}: {self.sentence}"

    def _repr_html_(self) -> str:
        beside = ""
        if self.nearest_item_id is not None:
            nearest = Card(self.nearest_item_id, self.nearest_title or "", ("from the history",), self.nearest_picture)
            beside = nearest.html()
        return (
            '<div style="display:flex;gap:18px;align-items:flex-start;margin:12px 0">'
            f'<div style="width:{_SIDE}px;font-size:12px">{_heat(self.picture, self.cells, self.title)}</div>{beside}'
            f'<div style="max-width:34em"><div style="font-weight:600">{escape(self.title)}</div>'
            f"<p>{escape(self.sentence)}</p><p>{_highlighted(self.words)}</p>{_bars(self.shares)}</div></div>"
        )


def _picture(file: Path | None, title: str) -> str:
    address = thumbnail(file)
    box = f"width:{_SIDE}px;height:{_SIDE}px;object-fit:contain;border-radius:4px"
    if address is None:
        return f'<div style="{box};background:rgba(128,128,128,.2)"></div>'
    return f'<img src="{address}" alt="{escape(title, quote=True)}" style="{box}">'


def _heat(file: Path | None, cells: Sequence[Sequence[float]], title: str) -> str:
    """The picture under its cells: the redder, the more for the item; the bluer, the more against it."""
    if not cells:
        return _picture(file, title)
    largest = max((abs(weight) for row in cells for weight in row), default=0.0) or 1.0
    squares = "".join(f'<i style="background:{_tint(weight / largest)}"></i>' for row in cells for weight in row)
    grid = f"display:grid;grid-template:repeat({len(cells)},1fr)/repeat({len(cells[0])},1fr)"
    return (
        f'<div style="position:relative;width:{_SIDE}px;height:{_SIDE}px">{_picture(file, title)}'
        f'<div style="position:absolute;inset:0;{grid}">{squares}</div></div>'
    )


def _tint(weight: float) -> str:
    """Return the colour of a weight in -1..1.

    >>> _tint(1.0), _tint(-0.5)
    ('rgba(214,69,38,0.60)', 'rgba(38,108,214,0.30)')
    """
    colour = "214,69,38" if weight >= 0 else "38,108,214"
    return f"rgba({colour},{0.6 * min(abs(weight), 1.0):.2f})"


def _highlighted(words: Sequence[Word]) -> str:
    largest = max((abs(word.weight) for word in words), default=0.0) or 1.0
    marked = (
        f'<span style="background:{_tint(word.weight / largest)};border-radius:3px;padding:0 2px">'
        f"{escape(word.text)}</span>"
        for word in words
    )
    return " ".join(marked)


def _bars(shares: Shares) -> str:
    named = (
        ("words", shares.text),
        ("picture", shares.picture),
        ("attributes", shares.attributes),
        ("who took it", shares.identity),
        ("context", shares.context),
    )
    lines = (
        f'<div style="display:flex;gap:8px;align-items:center;font-size:12px"><span style="width:6.5em">{name}</span>'
        f'<span style="background:currentColor;opacity:.6;height:8px;width:{160 * share:.0f}px"></span>'
        f"<span>{100 * share:.0f} %</span></div>"
        for name, share in named
    )
    return "".join(lines)
