"""Explains results of a search by the score that found them: each of its parts is a sum over words or cells.

```
words ──► terms, nearness, look, colours ─┐
picture ► likeness ───────────────────────┴─► what each word and cell adds ─► explanation
```

Letters: K items, V words of a text, G cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trifocal.explain.explanation import Explanation
from trifocal.explain.sentence import place_name, search_sentence
from trifocal.explain.words import Part, says_something, text_parts
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.explaining.added import Added, evenly, meant, of_terms, of_tokens
from trifocal.serve.explaining.colour_cells import colour_cells
from trifocal.serve.explaining.search_content import ReadText, SearchContent
from trifocal.serve.picture_search import PictureSearch, SearchAsk
from trifocal.serve.search import TextSearch
from trifocal.serve.search_parts.apart import Along, Apart, ItemFit, PictureApart
from trifocal.serve.search_parts.terms import terms
from trifocal.types import FloatArray, IntArray, Request

__all__ = ["SearchExplainer", "Searches"]

_MOST_SAID, _MOST_NEAR = 3, 2
# A source that adds less than this share is not spoken of.
_LEAST_SHARE = 0.1
_Picture = Callable[[int], Path | None]


@dataclass(frozen=True)
class Searches:
    """The searches of a service, over the items as they are now. Stability: internal."""

    texts: TextSearch
    pictures: PictureSearch
    catalogue: Catalogue

    def explainer(self, ask: SearchAsk, rung: str, content: SearchContent, picture: _Picture) -> SearchExplainer:
        """Return what explains the answer that `rung` gave to `ask`.

        Args:
            ask: words, a picture, or both.
            rung: `hybrid`, `words` or `picture`.
            content: reads and looks.
            picture: row -> its file, or None.
        """
        return SearchExplainer(self, ask, rung, content, picture)


class SearchExplainer:
    """A `QueryExplainer` of one search. Stability: internal."""

    def __init__(
        self, searches: Searches, ask: SearchAsk, rung: str, content: SearchContent, picture: _Picture
    ) -> None:
        """See `Searches.explainer`."""
        self._searches, self._ask, self._content, self._picture = searches, ask, content, picture
        self._rung = rung
        self._by_picture = rung == "picture" and ask.picture is not None
        self._words = (ask.words or "").strip() or None

    def explain(self, request: Request, item_rows: IntArray, query: str | None = None) -> Sequence[Explanation]:
        """See `QueryExplainer`. A search is nobody's: of `request` and `query` nothing counts.

        Raises:
            ConfigError: when a picture was sent and pictures cannot be compared here.
        """
        apart = self._apart(item_rows)
        shown = self._searches.pictures.taken_apart(self._ask, item_rows) if self._by_picture else None
        return [self._explanation(row, place, apart, shown) for place, row in enumerate(np.asarray(item_rows).tolist())]

    def parts(self, row: int) -> Added:
        """Return what each word and cell adds to the score of the item in `row`."""
        rows = np.array([row], dtype=np.int64)
        shown = self._searches.pictures.taken_apart(self._ask, rows) if self._by_picture else None
        return self._added(row, 0, self._apart(rows), shown)

    def _apart(self, rows: IntArray) -> Apart | None:
        if self._words is None:
            return None
        filters = None if self._by_picture else self._ask.filters
        only = self._rung == "words"
        return self._searches.texts.taken_apart(self._words, rows, filters, only_words=only)

    def _explanation(self, row: int, place: int, apart: Apart | None, shown: PictureApart | None) -> Explanation:
        added = self._added(row, place, apart, shown)
        score, baseline = _score(place, apart, shown)
        words, cells = added.shown()
        error = abs(added.total() - (score - baseline)) / max(abs(score - baseline), 1e-6)
        said = self._sentence(added, cells, None if apart is None else apart.items[place], apart)
        return Explanation(row, score, words, cells, added.shares(), None, said, error)

    def _added(self, row: int, place: int, apart: Apart | None, shown: PictureApart | None) -> Added:
        fit, picture = None if apart is None else apart.items[place], self._picture(row)
        # Where nothing tells tokens apart, or no nearness counts, the words are enough.
        read = self._content.text(self._parts(row), tokens=apart is not None and apart.nearness is not None)
        weights, rest = np.zeros(len(read.words.words), np.float32), 0.0
        if apart is not None and fit is not None:
            weights, rest = self._of_words(read, apart, fit)
        factor = 1.0 if shown is None else float(shown.words[place])
        along, look = _looked(fit, apart, shown, place, factor)
        cells, whole = self._of_cells(picture, along, look)
        found = replace(Added(read.words, weights, rest, cells, 0.0).times(factor), cells=cells, picture=whole)
        return found if fit is None else self._with_colours(found, fit, picture, factor)

    def _parts(self, row: int) -> list[tuple[Part, str]]:
        title, description, category = self._searches.catalogue.texts(row)
        # An item without a text has its category still, for the words.
        return text_parts(title, category, description) or ([("category", category)] if category else [])

    def _of_words(self, read: ReadText, apart: Apart, fit: ItemFit) -> tuple[FloatArray, float]:
        """Return (V,) what the words add, and what the text adds by none."""
        text, every = read.words, self._searches.texts.indexes_descriptions
        named = [(colour, terms(colour.words)) for colour in fit.colours if colour.named]
        parts = [of_terms(text, fit.terms, descriptions=every)]
        for colour, wanted in named:
            held = [term for term in wanted if any(term in terms(word) for word in text.words)]
            parts.append(of_terms(text, {t: colour.added / len(held) for t in held}, descriptions=every))
            parts.append((np.zeros(len(text.words), np.float32), 0.0 if held else colour.added))
        if apart.nearness is None or read.tokens is None:
            parts.append(evenly(text, fit.text))
        else:
            own = apart.nearness.of_tokens(read.tokens)
            # All that are far count as near as the last of the nearest.
            raised = (fit.text - float(own.sum())) / len(own) if fit.far else 0.0
            parts.append(of_tokens(text, own + raised))
        return np.sum([weights for weights, _ in parts], axis=0, dtype=np.float32), sum(rest for _, rest in parts)

    def _of_cells(self, picture: Path | None, along: Along | None, look: float) -> tuple[FloatArray, float]:
        """Return (G,) what the cells add, and what the picture adds by none: one of both."""
        nothing = np.zeros(0, np.float32)
        if along is None or look == 0:
            return nothing, look
        parts = self._content.looks(picture)
        if parts is None or parts.shape[1] != len(along.direction):
            return nothing, look
        return along.of_cells(parts), 0.0

    def _with_colours(self, added: Added, fit: ItemFit, picture: Path | None, factor: float) -> Added:
        """Return `added` with what the picture adds by its colours: where they are, or as a whole where they lack."""
        cells, whole, side = added.cells, added.picture, _side(len(added.cells))
        for colour in fit.colours:
            if colour.named:
                continue
            if side and picture is not None and colour.added > 0:
                cells = (
                    cells + np.float32(factor * colour.added) * colour_cells(str(picture), colour.shades, side).ravel()
                )
            else:
                whole += factor * colour.added
        return replace(added, cells=cells, picture=whole)

    def _sentence(
        self, added: Added, cells: Sequence[Sequence[float]], fit: ItemFit | None, apart: Apart | None
    ) -> str:
        shares, colours = added.shares(), () if fit is None else fit.colours
        named = [term for colour in colours if colour.named for term in terms(colour.words)]
        wanted = [*(fit.terms if fit is not None else ()), *named]
        said = meant(added.text, added.weights, wanted, _MOST_SAID)
        near = _near(added) if apart is not None and not said and shares.text >= _LEAST_SHARE else []
        look = _place(cells) if added.cells.sum() > 0 and shares.picture >= _LEAST_SHARE else None
        return search_sentence(
            self._words,
            sent=self._by_picture,
            said=said,
            near=near,
            shown=[colour.words for colour in colours if colour.shown],
            lacking=[colour.words for colour in colours if colour.lacking],
            look=look,
        )


def _score(place: int, apart: Apart | None, shown: PictureApart | None) -> tuple[float, float]:
    """Return the score that ranks, and that of an item of which nothing is known."""
    fit = None if apart is None else apart.items[place]
    if shown is None:
        return (0.0, 0.0) if fit is None else (fit.score, fit.baseline)
    words = 0.0 if fit is None else float(shown.words[place]) * (fit.baseline - shown.words_middle)
    return float(shown.scores[place]), words - float(shown.middle[place])


def _looked(
    fit: ItemFit | None, apart: Apart | None, shown: PictureApart | None, place: int, factor: float
) -> tuple[Along | None, float]:
    """Return the direction in which the picture adds, and how much it adds in it."""
    along = None if apart is None else apart.along
    look = 0.0 if fit is None else factor * fit.look
    if along is not None:
        along = Along(np.float32(factor) * along.direction, factor * along.middle)
    if shown is None:
        return along, look
    sent = Along(shown.look, 0.0)
    if along is not None and along.direction.shape == sent.direction.shape:
        sent = Along(along.direction + sent.direction, along.middle)
    return sent, look + float(shown.likeness[place])


def _side(count: int) -> int:
    """Return R = C of `count` cells; 0 = there are none, or they are no square."""
    side = math.isqrt(count)
    return side if side**2 == count else 0


def _near(added: Added) -> list[str]:
    order = np.argsort(-added.weights, kind="stable").tolist()
    words = [added.text.words[place].lower() for place in order if added.weights[place] > 0]
    return [word for word in dict.fromkeys(words) if says_something(word)][:_MOST_NEAR]


def _place(cells: Sequence[Sequence[float]]) -> str:
    _, row, column = max((weight, -y, -x) for y, line in enumerate(cells) for x, weight in enumerate(line))
    return place_name(-row, -column, len(cells), len(cells[0]))
