"""Why an item: what is told of it. Plain values; knows no model. T words of the item, R x C cells of its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from trifocal.types import IntArray, Request

__all__ = ["Explainer", "Explanation", "Nearest", "Shares", "Word"]


@dataclass(frozen=True)
class Word:
    """A word of the item's text, merged from the encoder's tokens.

    Attributes:
        text: as it stands in the title or description, spaces and punctuation left out.
        weight: its part of the score, signed; all words and cells of an item together have absolute sum 1 at most.
        part: where it stands.
    """

    text: str
    weight: float
    part: Literal["title", "description", "category"] = "title"


@dataclass(frozen=True)
class Shares:
    """Shares of the score by source, absolute attributions; each 0..1, together 1 (all 0 where nothing spoke).

    Attributes:
        text: what the item says.
        picture: what its picture shows.
        attributes: category, price and other fields.
        identity: who took it, and what was taken with it: the id, links, popularity.
        context: the moment, device and place of the request.
    """

    text: float
    picture: float
    attributes: float
    identity: float
    context: float


@dataclass(frozen=True)
class Nearest:
    """The item of the user's own history that is most alike in the shared space.

    Attributes:
        item_row: which.
        similarity: cosine of the item vectors, -1..1.
        words: that both texts hold.
        colours: that both pictures show, by name.
        category: that both belong to, or None.
    """

    item_row: int
    similarity: float
    words: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    category: str | None = None


@dataclass(frozen=True)
class Explanation:
    """Why one item for one request. Stability: caller.

    Attributes:
        item_row: which item.
        score: that was explained.
        words: in the order of the text; empty = no text.
        cells: R rows of C signed weights over the picture, top left first; empty = no picture.
        shares: by source.
        nearest: of the user's history; None = a stranger.
        sentence: all of it in one plain sentence.
        completeness_error: |sum of attributions - (score - score of the baseline)|, relative to the latter.
    """

    item_row: int
    score: float
    words: tuple[Word, ...]
    cells: tuple[tuple[float, ...], ...]
    shares: Shares
    nearest: Nearest | None
    sentence: str
    completeness_error: float


class Explainer(Protocol):
    """Says why items are answered to a request."""

    def explain(self, request: Request, item_rows: IntArray) -> Sequence[Explanation]:
        """Return an explanation of each of `item_rows` (K,), in their order."""
        ...
