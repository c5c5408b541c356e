"""Search by words: nearest texts where the encoder is at hand, else the words themselves. Sync; knows no HTTP."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

import numpy as np

from trifocal.errors import ServingError
from trifocal.index import ExactIndex, LiveIndex, normalised
from trifocal.index.coded import SearchPlan
from trifocal.index.flat8 import Flat8Index
from trifocal.index.unit_rows import UnitRows
from trifocal.ports import Index
from trifocal.ranking import top_k
from trifocal.serve.asks import Answer, Filters, ScoredItem
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.queries import QueryEncoder
from trifocal.serve.rungs import Rung, first_usable
from trifocal.serve.stages import Stopwatch
from trifocal.types import AnyFloats, FloatArray, IntArray, Rankings

__all__ = ["TextSearch"]


# Above it, 8-bit codes in memory and the vectors where they are stored: a quarter of the memory and of the reading.
_EXACT_MOST = 200_000
_RESCORING = 4


@dataclass(frozen=True)
class _Question:
    query: str
    exclude: IntArray


class TextSearch:
    """Items whose text is nearest to a query. Stability: caller."""

    def __init__(
        self, *, text_vectors: AnyFloats, catalogue: Catalogue, queries: QueryEncoder, model_version: str
    ) -> None:
        """Take the (N, text width) pooled text features; they are normalised, so that cosines are compared."""
        self._catalogue, self._queries, self._model_version = catalogue, queries, model_version
        self._index = LiveIndex(_text_index(text_vectors), width=text_vectors.shape[1])

    def with_item(self, row: int, text_vector: FloatArray, catalogue: Catalogue) -> TextSearch:
        """Return the search with an item behind all others, or in place of the one of `row`; this one stays."""
        other = self.over(catalogue)
        unit = normalised(text_vector)
        other._index = self._index.snapshot()
        if row == len(other._index):
            other._index.add(unit[None])
        else:
            other._index.replace(row, unit)
        return other

    def without(self, row: int, catalogue: Catalogue) -> TextSearch:
        """Return the search that does not look for the item of `row` any more; its row stays."""
        other = self.over(catalogue)
        other._index = self._index.snapshot()
        other._index.remove(np.array([row]))
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
            rung, ranking = first_usable(
                (Rung("text", self._by_text), Rung("words", self._by_words)), _Question(query, exclude), k
            )
        with watch.stage("answer"):
            pairs = zip(ranking.item_rows[0].tolist(), ranking.scores[0].tolist(), strict=True)
            items = tuple(ScoredItem(self._catalogue.card(row), score) for row, score in pairs if row >= 0)
        return Answer(items, rung, self._model_version, watch.stages_ms)

    def similarities(self, query: str) -> FloatArray:
        """Return (N,) how well each item fits `query`, by the first rung that can say; -inf where it does not at all.

        Raises:
            UnavailableError: when no rung could answer.
        """
        count = len(self._catalogue)
        rungs = (Rung("text", self._by_text), Rung("words", self._by_words))
        _, ranking = first_usable(rungs, _Question(query, np.zeros(0, np.int64)), count)
        found = ranking.item_rows[0] >= 0
        result = np.full(count, -np.inf, dtype=np.float32)
        result[ranking.item_rows[0][found]] = ranking.scores[0][found]
        return result

    def _by_text(self, question: _Question, k: int) -> Rankings:
        vector = self._queries.vector(question.query)
        return self._index.search(normalised(vector[None]), k, exclude=[question.exclude])

    def _by_words(self, question: _Question, k: int) -> Rankings:
        """Score = share of the query's words that title and category hold; an item without any is no answer."""
        wanted = re.findall(r"\w+", question.query.lower())
        texts = (self._catalogue.words(row) for row in range(len(self._catalogue)))
        found = np.array([sum(word in text for word in wanted) for text in texts], dtype=np.float32)
        scores = np.where(found > 0, found / max(len(wanted), 1), -np.inf)
        return top_k(scores[None], k, exclude=[question.exclude])


def _text_index(text_vectors: AnyFloats) -> Index:
    if len(text_vectors) <= _EXACT_MOST:
        return ExactIndex(normalised(text_vectors))
    return Flat8Index(UnitRows(text_vectors), SearchPlan(rescoring=_RESCORING))
