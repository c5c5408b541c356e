"""Explanations of answers that no network gave: the nearest item of the history, and a sentence. No words, no cells.

Shares say what such an answer came from, and are 0 where that is not known.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from trifocal import columns as c
from trifocal.explain.explanation import Explanation, Nearest, Shares
from trifocal.serve.catalogue import Catalogue
from trifocal.types import FloatRows, IntArray, Request

__all__ = ["Kind", "PlainExplainer"]

_LOGGER = logging.getLogger(__name__)

Kind = Literal["linked", "popular", "last", "picture"]
"""How the answer came about: by who took what; by popularity; an earlier list; a picture that is not known any more."""

_READ = 50
_LEAST_LETTERS = 4
_NONE = Shares(0.0, 0.0, 0.0, 0.0, 0.0)
_SHARES = {
    "linked": Shares(0.0, 0.0, 0.0, 1.0, 0.0),
    "popular": Shares(0.0, 0.0, 0.0, 1.0, 0.0),
    "last": _NONE,
    "picture": Shares(0.0, 1.0, 0.0, 0.0, 0.0),
}


class PlainExplainer:
    """Says what can be said without a network. Stability: internal."""

    def __init__(self, kind: Kind, vectors: FloatRows, catalogue: Catalogue) -> None:
        """Take how the answer came about, the (N, D) item vectors, by which items are compared, and the items."""
        self._kind: Kind = kind
        self._vectors, self._catalogue = vectors, catalogue

    def explain(self, request: Request, item_rows: IntArray, query: str | None = None) -> Sequence[Explanation]:
        """See `QueryExplainer`."""
        history = request.history.item_rows[-_READ:]
        return [self._explanation(int(row), self._nearest(int(row), history)) for row in item_rows]

    def _explanation(self, row: int, nearest: Nearest | None) -> Explanation:
        kind: Kind = "popular" if self._kind == "linked" and nearest is None else self._kind
        return Explanation(
            item_row=row,
            score=0.0,
            words=(),
            cells=(),
            shares=_SHARES[kind],
            nearest=nearest,
            sentence=self._sentence(kind, nearest),
            completeness_error=0.0,
        )

    def _nearest(self, row: int, history: IntArray) -> Nearest | None:
        if not len(history):
            return None
        try:
            taken, mine = self._vectors[history], self._vectors[np.array([row])][0]
        except (OSError, ValueError, IndexError) as error:
            # Such an answer may have been given because the vectors are broken.
            _LOGGER.warning("the nearest item cannot be told, since item vectors cannot be read: %s", error)
            return None
        lengths = np.linalg.norm(taken, axis=1) * np.linalg.norm(mine)
        cosines = np.where(lengths > 0, taken @ mine / np.maximum(lengths, 1e-9), -1.0)
        # The newest of equals.
        place = len(history) - 1 - int(cosines[::-1].argmax())
        cosine = float(np.clip(cosines[place], -1, 1))
        return None if not np.isfinite(cosine) else self._shared(row, int(history[place]), cosine)

    def _shared(self, row: int, other: int, cosine: float) -> Nearest:
        mine, theirs = (_words(self._catalogue.title(each)) for each in (row, other))
        category = _shared_path(self._catalogue.card(row).category, self._catalogue.card(other).category)
        return Nearest(other, cosine, tuple(word for word in mine if word in theirs), (), category)

    def _sentence(self, kind: Kind, nearest: Nearest | None) -> str:
        match kind:
            case "linked":
                like = "" if nearest is None else self._catalogue.title(nearest.item_row)
                return f"It goes with “{like}”: people took both."
            case "last":
                return "It stood in the last list that was made for you."
            case "picture":
                return "Its picture looks like the one that was shown."
        return "Many people take it."


def _words(title: str) -> tuple[str, ...]:
    """The longer words of a title, in small letters, each once; short ones are seldom what is meant.

    >>> _words("A red dress, the Red one")
    ('dress',)
    """
    return tuple(dict.fromkeys(word for word in re.findall(r"\w+", title.lower()) if len(word) >= _LEAST_LETTERS))


def _shared_path(one: str | None, other: str | None) -> str | None:
    """The levels that both paths begin with, or None.

    >>> _shared_path("Fashion > Dresses", "Fashion > Boots"), _shared_path("Fashion", "Home"), _shared_path(None, None)
    ('Fashion', None, None)
    """
    shared: list[str] = []
    for mine, theirs in zip(_levels(one), _levels(other), strict=False):
        if mine != theirs:
            break
        shared.append(mine)
    return c.CATEGORY_SEPARATOR.join(shared) or None


def _levels(path: str | None) -> list[str]:
    return path.split(c.CATEGORY_SEPARATOR) if path else []
