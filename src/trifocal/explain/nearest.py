"""The item of the user's own history that is most alike, and what both share. Pure."""

from __future__ import annotations

import numpy as np

from trifocal import columns as c
from trifocal.explain.content import ItemContent
from trifocal.explain.explanation import Nearest
from trifocal.explain.words import content_words
from trifocal.types import FloatArray, IntArray

__all__ = ["nearest_item", "shared_category"]

_MOST_WORDS = 6


def nearest_item(item_row: int, history: IntArray, vectors: FloatArray, content: ItemContent) -> Nearest | None:
    """Return the item of `history` (L,) whose vector is most alike by cosine, the newest of equals; never the item.

    Args:
        item_row: what is explained.
        history: rows, oldest first.
        vectors: (N, D) item vectors.
        content: what the items say and show.
    """
    others = history[history != item_row][::-1]
    if not len(others):
        return None
    own, theirs = vectors[item_row], vectors[others]
    cosines = theirs @ own / np.maximum(np.linalg.norm(theirs, axis=1) * np.linalg.norm(own), 1e-9)
    place = int(cosines.argmax())
    row = int(others[place])
    known = set(_content_words(content, row))
    colours = set(content.colours(row))
    return Nearest(
        row,
        float(cosines[place]),
        tuple(word for word in _content_words(content, item_row) if word in known)[:_MOST_WORDS],
        tuple(colour for colour in content.colours(item_row) if colour in colours),
        shared_category(content.category(item_row), content.category(row)),
    )


def shared_category(one: str | None, other: str | None) -> str | None:
    """Return the narrowest category that both paths have in common, or None.

    >>> shared_category("Shoes > Running > Trail", "Shoes > Running > Road")
    'Running'
    """
    levels = [(path or "").split(c.CATEGORY_SEPARATOR) for path in (one, other)]
    shared = None
    for mine, theirs in zip(*levels, strict=False):
        if mine != theirs or not mine:
            break
        shared = mine
    return shared


def _content_words(content: ItemContent, row: int) -> list[str]:
    text = content.text(row)
    return [] if text is None else content_words(text)
