"""All that is known of the items of a search, and what of it speaks for each of them. Knows no card and no rung.

Letters: N items, W text width, L width of the pictures' vectors, K colours of an item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trifocal.index import ExactIndex, GrowingRows, LiveIndex, normalised
from trifocal.index.coded import SearchPlan
from trifocal.index.flat8 import Flat8Index
from trifocal.index.unit_rows import UnitRows
from trifocal.ports import Index
from trifocal.serve.search_parts.apart import Along, Apart, ColourFit, ItemFit, Nearness
from trifocal.serve.search_parts.asked import Asked, AskedColour
from trifocal.serve.search_parts.item_colours import ItemColours
from trifocal.serve.search_parts.terms import terms
from trifocal.serve.search_parts.word_index import ItemText, WordIndex
from trifocal.serve.search_parts.word_looks import WordLooks
from trifocal.types import AnyFloats, BoolArray, FloatArray, FloatRows, IntArray

__all__ = ["EXACT_MOST", "Evidence", "Finder"]

# Above it, 8-bit codes in memory and the vectors where they are stored: a quarter of the memory and of the reading.
EXACT_MOST = 200_000
_RESCORING = 4
# Nearest texts that are told apart; and items that say how near a text is by chance.
_NEAREST, _SAMPLED = 2_000, 512

# Chosen on the half of the written queries that is marked for it: docs/decisions/0030-search-that-looks.md.
_TEXT, _WORDS, _LOOK_OF_TEXT, _LOOK_OF_TERMS, _COLOURS = 1.0, 2.0, 1.0, 0.4, 4.0
# A share of a product is worth its logarithm; this much is taken for nothing.
_LEAST_SHARE = 0.05
# Shares where the picture does not say: of a colour that the text names, and of any.
_NAMED_SHARE, _UNKNOWN_SHARE = 0.6, 0.1
# Share from which a product has an asked colour.
_HAS_COLOUR = 0.3


@dataclass(frozen=True)
class Evidence:
    """What each kind adds to the score of each item; (N,) all. Stability: internal.

    Attributes:
        text: nearness of the text as a whole.
        words: terms that both have.
        look: likeness of the picture to those of items with such texts.
        colours: of the picture, at most 0.
    """

    text: FloatArray
    words: FloatArray
    look: FloatArray
    colours: FloatArray

    def sum(self) -> FloatArray:
        """Return (N,) the scores."""
        return self.text + self.words + self.look + self.colours


@dataclass(frozen=True)
class Finder:
    """Texts, terms, pictures and colours of N items; a change gives another one. Stability: internal.

    Attributes:
        texts: index of the (N, W) text vectors.
        sample: (some, W) unit text vectors.
        words: which terms they hold.
        looks: None = too few have pictures.
        colours: of the pictures.
    """

    texts: LiveIndex
    sample: FloatArray
    words: WordIndex
    looks: WordLooks | None
    colours: ItemColours

    @classmethod
    def of(
        cls,
        items: Sequence[ItemText],
        text_vectors: AnyFloats,
        looks: FloatRows | None = None,
        colours: AnyFloats | None = None,
    ) -> Finder:
        """Return the finder of `items`; see `TextSearch` for the rest."""
        count = len(text_vectors)
        return cls(
            texts=LiveIndex(_text_index(text_vectors), width=text_vectors.shape[1]),
            sample=normalised(np.asarray(text_vectors[:: -(-count // _SAMPLED)], dtype=np.float32)),
            words=WordIndex.of(items),
            looks=None if looks is None else WordLooks.learned(GrowingRows.of(looks), text_vectors),
            colours=ItemColours.none(count) if colours is None else ItemColours.of(colours),
        )

    def with_item(
        self, row: int, item: ItemText, text_vector: FloatArray, look: FloatArray | None, colours: AnyFloats | None
    ) -> Finder:
        """Return the finder with an item behind all others, or in place of the one of `row`."""
        texts, unit = self.texts.snapshot(), normalised(text_vector)
        if row == len(texts):
            texts.add(unit[None])
        else:
            texts.replace(row, unit)
        return replace(
            self,
            texts=texts,
            words=self.words.with_text(row, item),
            looks=None if self.looks is None else self.looks.with_item(row, look),
            colours=self.colours.with_item(row, colours),
        )

    def without(self, row: int) -> Finder:
        """Return the finder that does not look for the item of `row` any more; its row stays."""
        texts = self.texts.snapshot()
        texts.remove(np.array([row]))
        return replace(self, texts=texts, words=self.words.with_text(row, None))

    def spelt(self, term: str) -> str | None:
        """Return the term that was meant; None = it is known, or nothing is alike."""
        return None if term in self.words else self.words.spelt(term)

    def evidence(self, asked: Asked, vector: FloatArray | None, exclude: IntArray) -> Evidence:
        """Return what speaks for each item.

        Args:
            asked: the query, understood.
            vector: (W,) of its text; None = there is no encoder.
            exclude: rows that need no telling apart.
        """
        most = self.words.most(asked.terms)
        words = self.words.scores(asked.terms) * np.float32(_WORDS / most) if most else self._nothing()
        text = self._nothing() if vector is None else np.float32(_TEXT) * self._nearness(vector, exclude)
        return Evidence(text, words, self._look(asked, vector), self._colour(asked.colours))

    def apart(self, asked: Asked, vector: FloatArray | None, exclude: IntArray, rows: IntArray) -> Apart:
        """Return how the scores of the items in `rows` come about; see `evidence` for the rest."""
        found = self.evidence(asked, vector, exclude)
        colours = [self._colour_fits(colour, len(asked.colours), rows) for colour in asked.colours]
        scores, most = found.sum(), self.words.most(asked.terms)
        baseline = _COLOURS * (np.log(_UNKNOWN_SHARE + _LEAST_SHARE) - np.log1p(_LEAST_SHARE)) if colours else 0.0
        items = tuple(
            ItemFit(
                score=float(scores[row]),
                baseline=float(baseline),
                terms={t: _WORDS / most * added for t, added in self.words.added(row, asked.terms).items()},
                text=float(found.text[row]),
                far=bool(found.text[row] <= found.text.min()),
                look=float(found.look[row]),
                colours=tuple(fits[place] for fits in colours),
            )
            for place, row in enumerate(rows.tolist())
        )
        return Apart(asked, None if vector is None else self._by_chance(vector), self._along(asked, vector), items)

    def has(self, colour: AskedColour) -> BoolArray:
        """Return (N,) whether each item has `colour`, by its picture or its text."""
        return self._shares(colour) >= _HAS_COLOUR

    def _nothing(self) -> FloatArray:
        return np.zeros(len(self.words), np.float32)

    def _nearness(self, vector: FloatArray, exclude: IntArray) -> FloatArray:
        """Return (N,) how near each text is, in deviations from the mean; beyond the nearest, as the last."""
        chance = self._by_chance(vector)
        ranking = self.texts.search(chance.unit[None], min(_NEAREST, len(self.texts)), exclude=[exclude])
        found = ranking.item_rows[0] >= 0
        nearness = (ranking.scores[0][found] - np.float32(chance.mean)) / chance.deviation
        result = np.full(len(self.words), nearness.min() if len(nearness) else 0.0, dtype=np.float32)
        result[ranking.item_rows[0][found]] = nearness
        return result

    def _by_chance(self, vector: FloatArray) -> Nearness:
        unit = normalised(vector)
        chance = self.sample @ unit
        return Nearness(unit, float(chance.mean()), max(float(chance.std()), 1e-6), _TEXT)

    def _look(self, asked: Asked, vector: FloatArray | None) -> FloatArray:
        along = self._along(asked, vector)
        return self._nothing() if self.looks is None or along is None else self.looks.along(along)

    def _along(self, asked: Asked, vector: FloatArray | None) -> Along | None:
        """Return what pictures of such items have in common; None = there are no pictures."""
        looks = self.looks
        if looks is None:
            return None
        of_terms = np.zeros_like(looks.mean)
        for term in asked.terms:
            of_terms += looks.of_term(self.words.holders(term))
        direction = np.float32(_LOOK_OF_TERMS) * looks.scaled(of_terms)
        if vector is not None and vector.any():
            direction = direction + np.float32(_LOOK_OF_TEXT) * looks.scaled(looks.of_text(vector))
        return Along(direction, float(looks.mean @ direction))

    def _colour(self, colours: Sequence[AskedColour]) -> FloatArray:
        if not colours:
            return self._nothing()
        parts = [np.log(self._shares(colour) + _LEAST_SHARE) for colour in colours]
        # At most 0: a product that is all of the colour loses nothing.
        found: FloatArray = (_COLOURS * (np.mean(parts, axis=0) - np.log1p(_LEAST_SHARE))).astype(np.float32)
        return found

    def _colour_fits(self, colour: AskedColour, among: int, rows: IntArray) -> list[ColourFit]:
        shown, named = (shares[rows] for shares in self._shown_and_named(colour))
        unknown = np.log(_UNKNOWN_SHARE + _LEAST_SHARE)
        added = (_COLOURS / among) * (np.log(np.maximum(shown, named) + _LEAST_SHARE) - unknown)
        has, says, known = shown >= _HAS_COLOUR, named > shown, self.colours.known[rows]
        flags = np.stack([says, known & has, known & ~has & ~says], axis=1).tolist()
        return [
            ColourFit(colour.words, colour.shades, value, *each)
            for value, each in zip(added.tolist(), flags, strict=True)
        ]

    def _shares(self, colour: AskedColour) -> FloatArray:
        """Return (N,) how much of each item has `colour`."""
        return np.maximum(*self._shown_and_named(colour))

    def _shown_and_named(self, colour: AskedColour) -> tuple[FloatArray, FloatArray]:
        """Return (N,) how much of each item has `colour` by its picture, and by its text."""
        shown = np.where(self.colours.known, self.colours.shares(colour.shades), np.float32(_UNKNOWN_SHARE))
        named = self.words.scores(terms(colour.words)) > 0
        return shown.astype(np.float32), np.where(named, np.float32(_NAMED_SHARE), np.float32(0))


def _text_index(text_vectors: AnyFloats) -> Index:
    if len(text_vectors) <= EXACT_MOST:
        return ExactIndex(normalised(text_vectors))
    return Flat8Index(UnitRows(text_vectors), SearchPlan(rescoring=_RESCORING))
