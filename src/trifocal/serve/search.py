"""Search by words, in texts and in pictures at once. Sync; knows no HTTP.

```
query ─┬─ colours ──► colours of the products' pictures ──────┐
       ├─ terms ────► BM25 over the texts ────────────────────┤
       │         └──► what items of these terms look like ────┼──► weighted sum ─► best K
       └─ the rest ─► encoder ─┬─► cosine to the texts ───────┤
                               └─► what such texts look like ─┘
```

Without an encoder the upper rows still answer; without pictures the words do. Letters: N items, W text width.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from trifocal.errors import ConfigError, ServingError
from trifocal.serve.asks import Answer, Filters, ScoredItem
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.queries import QueryEncoder
from trifocal.serve.rungs import Rung, first_usable
from trifocal.serve.search_parts.apart import Apart
from trifocal.serve.search_parts.asked import Asked, read_query
from trifocal.serve.search_parts.finder import EXACT_MOST, Finder
from trifocal.serve.search_parts.terms import terms
from trifocal.serve.search_parts.word_index import ItemText
from trifocal.serve.stages import Stopwatch
from trifocal.types import AnyFloats, FloatArray, FloatRows, IntArray, Rankings

__all__ = ["Fit", "TextSearch"]


@dataclass(frozen=True)
class Fit:
    """Why an item fits a query: what each kind of evidence adds to its score, and what it rests on.

    Attributes:
        text: nearness of the text as a whole; 0 = there is no encoder.
        words: words that both have.
        look: likeness of the picture to those of items with such texts.
        colours: colours of the picture, at most 0.
        terms: words of the query that the item's text holds, as typed.
        shown_colours: asked colours that its picture shows, as typed.
    """

    text: float
    words: float
    look: float
    colours: float
    terms: tuple[str, ...]
    shown_colours: tuple[str, ...]


@dataclass(frozen=True)
class _Question:
    asked: Asked
    exclude: IntArray


class TextSearch:
    """Items that fit words, by text and picture. Stability: caller."""

    def __init__(
        self,
        *,
        text_vectors: AnyFloats,
        catalogue: Catalogue,
        queries: QueryEncoder,
        model_version: str,
        looks: FloatRows | None = None,
        colours: AnyFloats | None = None,
    ) -> None:
        """Index the items.

        Args:
            text_vectors: (N, W) pooled text features; they are normalised, so that cosines are compared.
            catalogue: titles, descriptions, cards and filters.
            queries: encodes what is typed.
            model_version: as answers say it.
            looks: (N, L) vectors of the pictures, zero = no picture; None = there are none.
            colours: (N, K, 4) colours of the pictures as `catalogue_colours` gives them; None = not known.
        """
        self._catalogue, self._queries, self._model_version = catalogue, queries, model_version
        self._finder = Finder.of(_item_texts(catalogue), text_vectors, looks, colours)

    def with_item(
        self,
        row: int,
        text_vector: FloatArray,
        catalogue: Catalogue,
        *,
        look: FloatArray | None = None,
        colours: AnyFloats | None = None,
    ) -> TextSearch:
        """Return the search with an item behind all others, or in place of the one of `row`; this one stays.

        Args:
            row: of the item.
            text_vector: (W,).
            catalogue: that holds it.
            look: (L,) of its picture; None = it has none.
            colours: (K, 4) of its picture; None = not known.
        """
        other = self.over(catalogue)
        item = _item_text(catalogue, row, whole=len(catalogue) <= EXACT_MOST)
        other._finder = self._finder.with_item(row, item, text_vector, look, colours)
        return other

    def without(self, row: int, catalogue: Catalogue) -> TextSearch:
        """Return the search that does not look for the item of `row` any more; its row stays."""
        other = self.over(catalogue)
        other._finder = self._finder.without(row)
        return other

    def over(self, catalogue: Catalogue) -> TextSearch:
        """Return the search with what `catalogue` says of the same items."""
        other = copy.copy(self)
        other._catalogue = catalogue
        return other

    def search(self, query: str, k: int, filters: Filters | None = None) -> Answer:
        """Return the `k` items that fit `query` best; items that are sold out or filtered out never.

        Raises:
            ServingError: when the query is empty.
        """
        if not query.strip():
            raise ServingError("the query is empty; type at least one word")
        watch = Stopwatch()
        with watch.stage("exclude"):
            exclude = self._catalogue.barred_rows(filters or Filters())
        with watch.stage("rank"):
            asked = self.asked(query)
            rung, ranking = first_usable(self._rungs(), _Question(asked, exclude), k)
        with watch.stage("answer"):
            pairs = zip(ranking.item_rows[0].tolist(), ranking.scores[0].tolist(), strict=True)
            items = tuple(ScoredItem(self._catalogue.card(row), score) for row, score in pairs if row >= 0)
        notes = tuple(f"looked for {taken!r} in place of {typed!r}" for typed, taken in asked.corrected)
        return Answer(items, rung, self._model_version, watch.stages_ms, notes)

    def similarities(self, query: str) -> FloatArray:
        """Return (N,) how well each item fits `query`, by the first rung that can say; -inf where it does not at all.

        Raises:
            UnavailableError: when no rung could answer.
        """
        count = len(self._catalogue)
        question = _Question(self.asked(query), np.zeros(0, np.int64))
        _, ranking = first_usable(self._rungs(), question, count)
        found = ranking.item_rows[0] >= 0
        result = np.full(count, -np.inf, dtype=np.float32)
        result[ranking.item_rows[0][found]] = ranking.scores[0][found]
        return result

    def asked(self, query: str) -> Asked:
        """Return how `query` is understood: its colours, terms, and slips of spelling put right."""
        return read_query(query, self._finder.spelt, with_colours=bool(self._finder.colours.known.any()))

    def fit(self, query: str, item_id: str) -> Fit:
        """Return why the item fits `query`, as well as it does.

        Raises:
            NotFoundError: when there is no such item.
            ConfigError: when the encoder's packages are not installed.
        """
        row = self._catalogue.row(item_id)
        asked = self.asked(query)
        found = self._finder.evidence(asked, self._queries.vector(asked.text), np.zeros(0, np.int64))
        held = _item_text(self._catalogue, row, whole=True).frequencies()
        return Fit(
            text=float(found.text[row]),
            words=float(found.words[row]),
            look=float(found.look[row]),
            colours=float(found.colours[row]),
            terms=tuple(word for word in dict.fromkeys(asked.text.split()) if set(terms(word)) & set(held)),
            shown_colours=tuple(colour.words for colour in asked.colours if self._finder.has(colour)[row]),
        )

    def taken_apart(
        self, query: str, rows: IntArray, filters: Filters | None = None, *, only_words: bool = False
    ) -> Apart:
        """Return how the scores of the items in `rows` (K,) for `query` come about.

        Args:
            query: as typed.
            rows: of the answer.
            filters: of the search; None = all items were compared.
            only_words: the rung `words` answered; without an encoder it does anyway.
        """
        asked = self.asked(query)
        exclude = np.zeros(0, np.int64) if filters is None else self._catalogue.barred_rows(filters)
        return self._finder.apart(asked, None if only_words else self._vector(asked), np.setdiff1d(exclude, rows), rows)

    @property
    def indexes_descriptions(self) -> bool:
        """Whether words of descriptions are found by themselves."""
        return len(self._catalogue) <= EXACT_MOST

    def _vector(self, asked: Asked) -> FloatArray | None:
        try:
            return self._queries.vector(asked.text)
        except ConfigError:
            # Said with the answer already, by its rung.
            return None

    def _rungs(self) -> tuple[Rung[_Question, Rankings], ...]:
        return Rung("hybrid", self._by_all), Rung("words", self._by_words)

    def _by_all(self, question: _Question, k: int) -> Rankings:
        vector = self._queries.vector(question.asked.text)
        evidence = self._finder.evidence(question.asked, vector, question.exclude)
        return self._best(evidence.sum(), k, question.exclude)

    def _by_words(self, question: _Question, k: int) -> Rankings:
        """Without an encoder: an item that holds none of the words, and has none of the colours, is no answer."""
        evidence = self._finder.evidence(question.asked, None, question.exclude)
        found = evidence.words > 0
        for colour in question.asked.colours:
            found |= self._finder.has(colour)
        return self._best(np.where(found, evidence.sum(), -np.inf).astype(np.float32), k, question.exclude)

    def _best(self, scores: FloatArray, k: int, exclude: IntArray) -> Rankings:
        """Return the `k` best of `scores` (N,); equal ones in an order of their ids, which no other item changes."""
        scores[exclude] = -np.inf
        least = np.partition(scores, -k)[-k] if k < len(scores) else -np.inf
        rows = np.flatnonzero((scores >= least) & (scores > -np.inf))
        ids = self._catalogue.vocabulary.ids
        # Not the ids themselves: the first of the alphabet would come first in every list.
        keys = np.array([crc32(ids[row].encode()) for row in rows.tolist()], dtype=np.int64)
        order = rows[np.lexsort((keys, -scores[rows]))][:k]
        missing = k - len(order)
        found = np.append(scores[order], np.full(missing, -np.inf, np.float32)).astype(np.float32)
        return Rankings(np.append(order, np.full(missing, -1))[None].astype(np.int64), found[None])


def _item_texts(catalogue: Catalogue) -> Sequence[ItemText]:
    # Of more, descriptions are not indexed by their words: they are nine tenths of them.
    whole = len(catalogue) <= EXACT_MOST
    return [_item_text(catalogue, row, whole=whole) for row in range(len(catalogue))]


def _item_text(catalogue: Catalogue, row: int, *, whole: bool) -> ItemText:
    title, description, category = catalogue.texts(row)
    return ItemText(title, description if whole else None, category)
