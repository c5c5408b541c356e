"""Explanations -> one HTML page that stands alone: pictures under heat maps, words in their weight. Writes nothing.

Letters: R x C cells of a picture, which was padded to a square with white before it was seen.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from trifocal.explain.explanation import Explanation, Shares, Word
from trifocal.features.image import load_picture

__all__ = ["Shown", "explanation_page"]

_PIXELS, _SMALL_PIXELS, _QUALITY = 320, 120, 80
# Of a colour over letters and over a picture: both must still be seen.
_OVER_WORDS, _OVER_PICTURE = 0.65, 0.5
_NAMES = {
    "text": "what it says",
    "picture": "what it shows",
    "attributes": "category, price and other fields",
    "identity": "what people do with it",
    "context": "the moment and place",
}


@dataclass(frozen=True)
class Shown:
    """An explanation with what the page shows beside it.

    Attributes:
        explanation: of the item.
        title: of the item.
        picture: its file, or None.
        nearest_title: of the item of the history; "" = there is none.
        nearest_picture: its file, or None.
    """

    explanation: Explanation
    title: str
    picture: Path | None
    nearest_title: str = ""
    nearest_picture: Path | None = None


def explanation_page(title: str, items: Sequence[Shown]) -> str:
    """Return the page of `items`, headed `title`."""
    articles = "\n".join(_article(item) for item in items)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_style()}</style></head>\n'
        f"<body><main><h1>{escape(title)}</h1>\n"
        '<p class="hint">Green speaks for the item, red against it; the stronger, the more. '
        "A word and a part of the picture of the same strength add the same to the score.</p>\n"
        f"{articles}</main></body></html>\n"
    )


@cache
def _style() -> str:
    return files("trifocal.explain").joinpath("page.css").read_text(encoding="utf-8")


def _article(item: Shown) -> str:
    found = item.explanation
    top = max([abs(w.weight) for w in found.words] + [abs(c) for line in found.cells for c in line] + [1e-12])
    words = f'<h3>Its words</h3><p class="words">{_words(found.words, top)}</p>' if found.words else ""
    return (
        f"<article><div>{_picture(item, top)}</div><div><h2>{escape(item.title)}</h2>"
        f'<p class="why">{escape(found.sentence)}</p>{words}'
        f"<h3>Where the score comes from</h3>{_shares(found.shares)}{_nearest(item)}</div></article>"
    )


def _picture(item: Shown, top: float) -> str:
    """The picture as the model saw it, a coloured square over each cell."""
    cells = item.explanation.cells
    data = None if item.picture is None else _data_uri(item.picture, _PIXELS)
    if data is None:
        return '<p class="none">no picture</p>'
    squares = "".join(
        f'<rect x="{column}" y="{row}" width="1" height="1" fill="{_colour(weight / top, _OVER_PICTURE)}"/>'
        for row, line in enumerate(cells)
        for column, weight in enumerate(line)
    )
    rows, columns = max(len(cells), 1), len(cells[0]) if cells else 1
    alt = f"Picture of {item.title}; green where it speaks for the item"
    return (
        f'<svg class="map" viewBox="0 0 {columns} {rows}" role="img" aria-label="{escape(alt)}">'
        f'<image href="{data}" width="{columns}" height="{rows}"/>{squares}</svg>'
    )


def _words(words: Sequence[Word], top: float) -> str:
    return " ".join(
        f'<span style="background: {_colour(word.weight / top, _OVER_WORDS)}">{escape(word.text)}</span>'
        for word in words
    )


def _colour(weight: float, strongest: float) -> str:
    """Of a weight from -1 to 1."""
    kind = "--for" if weight > 0 else "--against"
    return f"rgb(var({kind}) / {strongest * min(abs(weight), 1):.3f})"


def _shares(shares: Shares) -> str:
    lines = []
    for field in fields(shares):
        percent = 100 * float(getattr(shares, field.name))
        bar = f'<dd class="bar"><i style="width: {percent:.1f}%"></i></dd>'
        lines.append(f"<dt>{_NAMES[field.name]}</dt>{bar}<dd>{percent:.0f} %</dd>")
    return f"<dl>{''.join(lines)}</dl>"


def _nearest(item: Shown) -> str:
    near = item.explanation.nearest
    if near is None:
        return ""
    shared = [*(() if near.category is None else (near.category,)), *near.colours, *near.words]
    data = None if item.nearest_picture is None else _data_uri(item.nearest_picture, _SMALL_PIXELS)
    picture = "" if data is None else f'<img src="{data}" alt="">'
    told = f'<br><span class="hint">both: {escape(", ".join(shared))}</span>' if shared else ""
    about = f'<div class="near">{picture}<p>{escape(item.nearest_title)}{told}</p></div>'
    return f"<h3>Most alike of what was chosen before</h3>{about}"


def _data_uri(path: Path, pixels: int) -> str | None:
    """The square that the model sees; None where the file is missing or broken, which the page then says."""
    try:
        picture = load_picture(str(path), pixels)
    except OSError:
        return None
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(target.getvalue()).decode()}"
