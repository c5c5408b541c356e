"""The request path: state -> exclude -> rank, rung by rung -> answer. Sync; knows no HTTP.

The exclusion (seen, asked for, sold out, outside the filters) is one set, and every rung gets it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from trifocal.errors import ConfigError, ServingError
from trifocal.features.context import ContextVocabulary
from trifocal.ports import StoredEvent
from trifocal.ranking import top_k
from trifocal.serve.asks import Answer, Ask, Filters, ScoredItem, SessionEvent
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.histories import HistoryCoder, followed_by
from trifocal.serve.queries import QueryEncoder
from trifocal.serve.rungs import Rung, first_usable
from trifocal.serve.stages import Stopwatch
from trifocal.serve.state import ShopperState
from trifocal.types import Context, FloatArray, History, IntArray, Rankings, Request, UserId

__all__ = ["K_MAX", "Engine", "Gateway"]

K_MAX = 100


class Engine(Protocol):
    """What the gateway needs of a model: a `Recommender` that also knows which items are alike."""

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        ...

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items most alike, never the item itself; (1, k)."""
        ...


class Gateway:
    """Answers recommendations and similar items. Stability: caller."""

    def __init__(
        self,
        *,
        engine: Engine,
        popularity: FloatArray,
        catalogue: Catalogue,
        coder: HistoryCoder,
        state: ShopperState,
        queries: QueryEncoder,
        model_version: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._catalogue, self._coder = engine, catalogue, coder
        self._state, self._queries = state, queries
        self._model_version, self._clock = model_version, clock
        scores = np.array(popularity, dtype=np.float32)[None]
        self._rungs = (
            Rung[Request]("model", lambda request, k: engine.recommend([request], k)),
            Rung[Request]("popular", lambda request, k: top_k(scores, k, exclude=[request.exclude])),
        )

    def recommend(self, ask: Ask) -> Answer:
        """Return the best items for `ask`; a stranger gets a cold answer.

        Raises:
            ServingError: when k is out of range.
        UnavailableError: when no rung could answer.
        """
        _check_k(ask.k)
        watch, notes = Stopwatch(), list[str]()
        with watch.stage("state"):
            history = self._history(ask, notes)
        with watch.stage("query"):
            context = self._context(ask, self._coder.context, notes)
        with watch.stage("exclude"):
            exclude = self._excluded(ask.filters, ask.exclude, history.item_rows if ask.exclude_seen else None)
        with watch.stage("rank"):
            user_id = None if ask.user_id is None else UserId(ask.user_id)
            rung, ranking = first_usable(self._rungs, Request(history, context, exclude, user_id), ask.k)
        with watch.stage("answer"):
            items = self._scored(ranking)
        return Answer(items, rung, self._model_version, watch.stages_ms, tuple(notes))

    def similar(self, item_id: str, k: int, filters: Filters | None = None) -> Answer:
        """Return the items most alike to `item_id`, best first.

        Raises:
            NotFoundError: when the bundle does not hold the item.
            ServingError: when k is out of range.
        """
        _check_k(k)
        watch = Stopwatch()
        with watch.stage("exclude"):
            row = self._catalogue.row(item_id)
            exclude = self._excluded(filters or Filters(), (item_id,), None)
        with watch.stage("rank"):
            ranking = self._engine.similar(row, k, exclude)
        with watch.stage("answer"):
            items = self._scored(ranking)
        return Answer(items, "vectors", self._model_version, watch.stages_ms)

    def _history(self, ask: Ask, notes: list[str]) -> History:
        known = History() if ask.user_id is None else self._state.history(ask.user_id)
        unknown = [event.item_id for event in ask.session if self._catalogue.vocabulary.row(event.item_id) is None]
        if unknown:
            notes.append(f"items of the session that this bundle does not know were ignored: {', '.join(unknown)}")
        session = self._coder.history([self._stored(ask, event) for event in ask.session])
        return followed_by(known, session)

    def _stored(self, ask: Ask, event: SessionEvent) -> StoredEvent:
        timestamp_s = self._clock() if event.timestamp_s is None else event.timestamp_s
        return StoredEvent(
            "", ask.user_id or "", event.item_id, event.event, timestamp_s,
            device=ask.device, country=ask.country, value=event.value,
        )  # fmt: skip

    def _context(self, ask: Ask, vocabulary: ContextVocabulary, notes: list[str]) -> Context:
        query_vector = None
        if ask.query:
            try:
                query_vector = self._queries.vector(ask.query)
            except ConfigError as error:
                notes.append(f"the query was ignored: {error}")
        return Context(
            timestamp_s=int(self._clock() if ask.timestamp_s is None else ask.timestamp_s),
            device_code=vocabulary.device_code(ask.device),
            country_code=vocabulary.country_code(ask.country),
            query_vector=query_vector,
        )

    def _excluded(self, filters: Filters, item_ids: Sequence[str], seen: IntArray | None) -> IntArray:
        barred = self._catalogue.barred(filters)
        named = self._catalogue.vocabulary.rows(item_ids)
        barred[named[named >= 0]] = True
        if seen is not None:
            barred[seen] = True
        return np.flatnonzero(barred).astype(np.int64)

    def _scored(self, ranking: Rankings) -> tuple[ScoredItem, ...]:
        pairs = zip(ranking.item_rows[0].tolist(), ranking.scores[0].tolist(), strict=True)
        return tuple(ScoredItem(self._catalogue.card(row), score) for row, score in pairs if row >= 0)


def _check_k(k: int) -> None:
    if not 1 <= k <= K_MAX:
        raise ServingError(f"k is {k}, it must be between 1 and {K_MAX}")
