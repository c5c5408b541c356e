"""The score of an item in a search, taken apart. It is linear in what the item says and shows, so that parts are exact.

The baseline is the score of an item of which nothing is known: a text as near as any, none of the words, no picture.

Letters: W text width, L width of the pictures' vectors, T tokens of a text, G cells of a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trifocal.serve.search_parts.asked import Asked
from trifocal.types import FloatArray

__all__ = ["Along", "Apart", "ColourFit", "ItemFit", "Nearness", "PictureApart"]


@dataclass(frozen=True)
class Nearness:
    """How near texts are to a query, in deviations from what is so by chance. Stability: internal.

    Attributes:
        unit: (W,) of the query.
        mean, deviation: of the cosines of any texts.
        weight: in the score.
    """

    unit: FloatArray
    mean: float
    deviation: float
    weight: float

    def of_tokens(self, tokens: FloatArray) -> FloatArray:
        """Return (T,) what each of the `tokens` (T, W) adds to the nearness of their mean; exact, since cosines add up.

        >>> near = Nearness(np.array([1.0, 0.0]), mean=0.5, deviation=0.25, weight=1.0)
        >>> near.of_tokens(np.array([[2.0, 0.0], [0.0, 0.0]])).tolist()  # cosine 1: (1 - 1/2) / (1/4) = 2 in all
        [3.0, -1.0]
        """
        length = max(float(np.linalg.norm(tokens.mean(axis=0))), float(np.finfo(np.float32).tiny))
        found: FloatArray = (tokens @ self.unit / length - self.mean) * (self.weight / self.deviation / len(tokens))
        return found


@dataclass(frozen=True)
class Along:
    """A direction among the pictures: `middle` = where the mean picture lies in it. Stability: internal."""

    direction: FloatArray
    middle: float

    def of_cells(self, parts: FloatArray) -> FloatArray:
        """Return (G,) what each cell adds.

        Args:
            parts: (G, L), whose sum is the picture's vector.
        """
        found: FloatArray = parts @ self.direction - self.middle / len(parts)
        return found


@dataclass(frozen=True)
class ColourFit:
    """One asked colour and one item.

    Attributes:
        words: as they were typed.
        shades: (S,) of `features.colour_words`, how well each does.
        added: to the score.
        named: the text says so, and the picture does not show more of it.
        shown: the picture shows it.
        lacking: the picture does not show it, nor does the text say so.
    """

    words: str
    shades: FloatArray
    added: float
    named: bool
    shown: bool
    lacking: bool


@dataclass(frozen=True)
class ItemFit:
    """The score of an item and what adds up to it. Stability: internal.

    Attributes:
        score: that ranks.
        baseline: of an item of which nothing is known.
        terms: what each term adds.
        text: what the nearness of the whole text adds.
        far: it is not among the nearest, of which alone the nearness is told apart.
        look: what the picture adds.
        colours: what they add.
    """

    score: float
    baseline: float
    terms: Mapping[str, float]
    text: float
    far: bool
    look: float
    colours: tuple[ColourFit, ...]


@dataclass(frozen=True)
class Apart:
    """What a query is understood as, and how the scores of items for it come about; None = it does not count here."""

    asked: Asked
    nearness: Nearness | None
    along: Along | None
    items: tuple[ItemFit, ...]


@dataclass(frozen=True)
class PictureApart:
    """How the scores of K items in a search by a picture come about. Stability: internal.

    Attributes:
        scores: (K,) that rank.
        words: (K,) what the score by words is multiplied by; 0 = it does not count.
        words_middle: what is taken off that score beforehand.
        look: (S,) of the picture that was sent, times its weight.
        likeness: (K,) what the item's picture adds.
        middle: (K,) what is taken off that.
    """

    scores: FloatArray
    words: FloatArray
    words_middle: float
    look: FloatArray
    likeness: FloatArray
    middle: FloatArray
