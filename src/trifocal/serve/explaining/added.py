"""What each word and cell of an item adds to its score in a search. Pure arithmetic; knows no encoder.

Letters: V words of a text, T tokens, G = R x C cells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trifocal.explain.explanation import Shares, Word
from trifocal.explain.words import ItemText, word_sums
from trifocal.serve.search_parts.terms import terms
from trifocal.serve.search_parts.word_index import FIELD_WEIGHTS
from trifocal.types import FloatArray

__all__ = ["Added", "evenly", "meant", "of_terms", "of_tokens"]


@dataclass(frozen=True)
class Added:
    """What adds up to a score above its baseline. Stability: internal.

    Attributes:
        text: the words (V) and what they add.
        weights: (V,).
        rest: what the text adds by no word: punctuation, and what the encoder puts around a text.
        cells: (G,) of the picture, row after row; empty = it was not looked at.
        picture: what the picture adds as a whole.
    """

    text: ItemText
    weights: FloatArray
    rest: float
    cells: FloatArray
    picture: float

    def total(self) -> float:
        """Return the sum of all."""
        return float(self.weights.sum() + self.rest + self.cells.sum() + self.picture)

    def times(self, factor: float) -> Added:
        """Return all of it `factor` times."""
        return replace(
            self,
            weights=np.float32(factor) * self.weights,
            rest=factor * self.rest,
            cells=np.float32(factor) * self.cells,
            picture=factor * self.picture,
        )

    def shares(self) -> Shares:
        """Return what each source adds, summed with its signs and then taken absolute; words of the category apart."""
        category = np.array([part == "category" for part in self.text.parts], np.bool_)
        text = float(self.weights[~category].sum()) + self.rest
        found = np.abs([text, float(self.cells.sum()) + self.picture, float(self.weights[category].sum())])
        parts = (found / max(float(found.sum()), 1e-12)).tolist()
        return Shares(text=parts[0], picture=parts[1], attributes=parts[2], identity=0.0, context=0.0)

    def shown(self) -> tuple[tuple[Word, ...], tuple[tuple[float, ...], ...]]:
        """Return words and cells with weights of absolute sum 1 at most."""
        size = float(np.abs(self.weights).sum() + np.abs(self.cells).sum()) + abs(self.rest) + abs(self.picture)
        weights = (self.weights / max(size, 1e-12)).tolist()
        words = tuple(Word(*word) for word in zip(self.text.words, weights, self.text.parts, strict=True))
        side = max(math.isqrt(len(self.cells)), 1)
        return words, tuple(map(tuple, (self.cells / max(size, 1e-12)).reshape(-1, side).tolist()))


def of_terms(text: ItemText, added: Mapping[str, float], *, descriptions: bool) -> tuple[FloatArray, float]:
    """Return (V,) what the words add by the terms they hold, and what is left of terms that none holds.

    A term's part is shared by its words as they count in BM25.

    Args:
        text: the words.
        added: by each term.
        descriptions: whether words of the description count.

    >>> text = ItemText(("Red", "boots", "A", "boot"), ("title", "title", "description", "description"), np.zeros(0))
    >>> weights, left = of_terms(text, {"boot": 3.0, "hat": 1.0}, descriptions=True)
    >>> weights.tolist(), left
    ([0.0, 2.0, 0.0, 1.0], 1.0)
    """
    fields = FIELD_WEIGHTS if descriptions else FIELD_WEIGHTS | {"description": 0.0}
    held = [terms(word) for word in text.words]
    weights, left = np.zeros(len(text.words), np.float32), 0.0
    for term, value in added.items():
        times = np.array([fields[p] * found.count(term) for p, found in zip(text.parts, held, strict=True)], np.float32)
        if times.sum() > 0:
            weights += np.float32(value / times.sum()) * times
        else:
            left += value
    return weights, left


def of_tokens(text: ItemText, added: FloatArray) -> tuple[FloatArray, float]:
    """Return (V,) what the words add by their tokens, which add `added` (T,), and what those of no word add."""
    weights = word_sums(text, added)
    return weights, float(added.sum() - weights.sum())


def evenly(text: ItemText, value: float) -> tuple[FloatArray, float]:
    """Return (V,) equal parts of `value`, where nothing says how it came from the words; and what is left without."""
    count = len(text.words)
    return np.full(count, value / max(count, 1), np.float32), 0.0 if count else value


def meant(text: ItemText, weights: FloatArray, wanted: Sequence[str], most: int) -> list[str]:
    """Return for each of the terms `wanted` that the text holds the word that adds most, the best first.

    Args:
        text: the words.
        weights: (V,) what they add.
        wanted: stems.
        most: how many words at most.

    >>> text = ItemText(("Red", "boots", "boot"), ("title",) * 3, np.zeros(0))
    >>> meant(text, np.array([1.0, 2.0, 3.0]), ["boot", "red", "hat"], 2)
    ['boot', 'red']
    """
    found: dict[str, str] = {}
    for place in np.argsort(-weights, kind="stable").tolist():
        word = text.words[place].lower()
        for term in terms(word):
            if term in wanted and weights[place] > 0 and word not in found.values():
                found.setdefault(term, word)
    return list(found.values())[:most]
