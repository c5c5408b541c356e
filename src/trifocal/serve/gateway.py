"""The request path: state -> exclude -> encode -> retrieve -> rank -> adjust -> answer. Sync; knows no HTTP.

The exclusion (seen, asked for, sold out, outside the filters) is one set, and every rung of the `Ladder` gets it.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from trifocal.errors import TrifocalError
from trifocal.serve.asks import Answer, Ask, Filters, Reason, ScoredItem
from trifocal.serve.caches import AnswerCache
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.engines import Engine
from trifocal.serve.entrance import RUNGS, Entrance
from trifocal.serve.experiment.config import ExplorationConfig
from trifocal.serve.experiment.exploration import explored
from trifocal.serve.explaining.why import ExplainerSource
from trifocal.serve.histories import HistoryCoder
from trifocal.serve.ladder import Ladder
from trifocal.serve.last_lists import LastLists
from trifocal.serve.online.adjust import diversified
from trifocal.serve.queries import QueryEncoder
from trifocal.serve.questions import K_MAX, Kept, Question, check_k, context_of, with_session
from trifocal.serve.reasons import reasons
from trifocal.serve.rungs import Rung
from trifocal.serve.stages import Stopwatch
from trifocal.serve.state import ShopperState
from trifocal.types import FloatArray, History, IntArray, Rankings, Request, UserId

__all__ = ["K_MAX", "Gateway"]

# A list is adjusted out of more items than are answered.
_ADJUSTED_MOST = 4 * K_MAX
# The first rung that reads no vectors, so that nobody needs to be encoded for it.
_WITHOUT_VECTORS = RUNGS.index("memory")


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
        variant: str = "main",
        personal: bool = True,
        limit_ms: float = 250.0,
        answers: AnswerCache | None = None,
        exploration: ExplorationConfig | None = None,
        explaining: ExplainerSource | None = None,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Wire the services together.

        Args:
            engine: encodes, retrieves, ranks and remembers.
            popularity: (N,) the greater, the more popular: the last rung.
            catalogue: cards and filters.
            coder: ids -> rows and codes.
            state: histories.
            queries: words -> vectors.
            model_version: as answers say it.
            variant: as answers say it.
            personal: whether the engine reads histories; else every item is answered because it is popular.
            limit_ms: a question that has taken longer is not ranked any more, or not retrieved.
            answers: gives answers again, or None = every question is answered anew.
            exploration: the place that is left to chance; None = none is.
            explaining: of the engine's model, or None = it has no network to be explained.
            draw: a number in 0..1, uniform; asked once a question where something is left to chance.
            clock: seconds since 1970, UTC.
        """
        self._answers, self.explaining = answers, explaining
        self._engine, self._catalogue, self._coder = engine, catalogue, coder
        self._state, self._queries = state, queries
        self.model_version, self._variant, self._clock = model_version, variant, clock
        self.personal, self._limit_ms = personal, limit_ms
        self._exploration, self._draw = exploration or ExplorationConfig(), draw
        self._scores = np.array(popularity, dtype=np.float32)[None]
        self.last_lists, self.entrance = LastLists(), Entrance()
        self.catalogue_version = 0

    @property
    def engine(self) -> Engine:
        """What encodes, retrieves, ranks and remembers."""
        return self._engine

    @property
    def catalogue(self) -> Catalogue:
        """The items that it answers with."""
        return self._catalogue

    def grown(self, catalogue: Catalogue, engine: Engine, catalogue_version: int) -> Gateway:
        """Return the same gateway over other items; those that joined are the least popular.

        Args:
            catalogue: of the items, the rows of those that were there unchanged.
            engine: of the same items.
            catalogue_version: any number that tells these items from others; answers are kept under it.
        """
        other = copy.copy(self)
        other._catalogue, other._engine, other.catalogue_version = catalogue, engine, catalogue_version
        other._coder = replace(self._coder, vocabulary=catalogue.vocabulary)
        joined = len(catalogue) - self._scores.shape[1]
        other._scores = np.pad(self._scores, ((0, 0), (0, joined)), constant_values=self._scores.min())
        return other

    @property
    def _ladder(self) -> Ladder:
        return Ladder(self._engine, self.last_lists, self._scores, self._limit_ms)

    def request(self, ask: Ask) -> tuple[Request, tuple[str, ...]]:
        """Return what the model is asked by `ask`, nothing excluded, and notes on what of it could not be used."""
        notes, now_s = list[str](), self._clock()
        known = History() if ask.user_id is None else self._catalogue.shown(self._state.history(ask.user_id))
        history = with_session(ask, known, self._coder, self._catalogue, now_s, notes)
        context = context_of(ask, self._coder.context, self._queries, now_s, notes)
        return Request(history, context, user_id=None if ask.user_id is None else UserId(ask.user_id)), tuple(notes)

    def forget(self, user_id: str) -> bool:
        """Drop the answers to a user who is deleted; return whether every level of the cache did."""
        self.last_lists.forget(user_id)
        return self._answers is None or self._answers.forget(user_id)

    def recommend(self, ask: Ask) -> Answer:
        """Return the best items for `ask`; a stranger gets a cold answer.

        Raises:
            ServingError: when k is out of range.
            UnavailableError: when no rung could answer.
        """
        (answer,) = self.recommend_many([ask])
        if isinstance(answer, TrifocalError):
            raise answer
        return answer

    def recommend_many(self, asks: Sequence[Ask]) -> list[Answer | TrifocalError]:
        """Return an answer to each of `asks`, or why there is none; users are encoded in one go."""
        questions = [self._prepared(ask) for ask in asks]
        self._encode([found for found in questions if isinstance(found, Question) and found.first < _WITHOUT_VECTORS])
        return [self._answered(question) if isinstance(question, Question) else question for question in questions]

    def fall_back(self, ask: Ask) -> Answer:
        """Return an answer that no network is asked for, and no other thread waited for.

        The memory's, else the last good list, else what is popular.

        Raises:
            ServingError: when k is out of range.
            UnavailableError: when no rung could answer.
        """
        question = self._prepared(ask)
        answer = self._answered(question, first=_WITHOUT_VECTORS) if isinstance(question, Question) else question
        if isinstance(answer, TrifocalError):
            raise answer
        return answer

    def similar(self, item_id: str, k: int, filters: Filters | None = None) -> Answer:
        """Return the items most alike to `item_id`, best first.

        Raises:
            NotFoundError: when the bundle does not hold the item.
            ServingError: when k is out of range.
        """
        check_k(k)
        watch = Stopwatch()
        with watch.stage("exclude"):
            row = self._catalogue.row(item_id)
            exclude = self._excluded(filters or Filters(), (item_id,), None)
        with watch.stage("rank"):
            ranking = self._engine.similar(row, k, exclude)
        with watch.stage("answer"):
            items = self._scored(ranking)
        return Answer(items, "vectors", self.model_version, watch.stages_ms, variant=self._variant)

    def _prepared(self, ask: Ask) -> Question | Answer | TrifocalError:
        """Return the question with all that is known, or the answer that it was given before."""
        watch, notes = Stopwatch(), list[str]()
        try:
            check_k(ask.k)
            with watch.stage("state"):
                known = History() if ask.user_id is None else self._state.history(ask.user_id)
                # The state is one for all that the service was and will be: it may know items that joined after these.
                known = self._catalogue.shown(known)
                kept = Kept(known, self._clock(), self._draw() if self._exploration.share else 1.0)
                if self._answers is not None and self._is_kept(kept):
                    found = self._answers.get(ask, known, now_s=kept.now_s, catalogue_version=self.catalogue_version)
                    if found is not None:
                        return found
                history = with_session(ask, known, self._coder, self._catalogue, kept.now_s, notes)
            with watch.stage("query"):
                context = context_of(ask, self._coder.context, self._queries, kept.now_s, notes)
            with watch.stage("exclude"):
                exclude = self._excluded(ask.filters, ask.exclude, history.item_rows if ask.exclude_seen else None)
        except TrifocalError as error:
            return error
        user_id = None if ask.user_id is None else UserId(ask.user_id)
        request = Request(history, context, exclude, user_id)
        return Question(ask, request, watch, tuple(notes), kept, self.entrance.first())

    def _encode(self, questions: Sequence[Question]) -> None:
        """Give each question its user vector; where that fails they go on without, and the ladder says so."""
        if not questions:
            return
        watch = Stopwatch()

        def encoded(requests: Sequence[Request], _: int) -> FloatArray:
            with watch.stage("encode"):
                return self._engine.encode(requests)

        users = Rung("encode", encoded).attempt([question.request for question in questions], 0)
        for line, question in enumerate(questions):
            question.user = None if users is None else users[line]
            question.watch.stages_ms |= watch.stages_ms

    def _answered(self, question: Question, first: int = 0) -> Answer | TrifocalError:
        ask, watch = question.ask, question.watch
        wanted = ask.k if ask.diversity <= 0 else min(4 * ask.k, _ADJUSTED_MOST)
        behind = self._exploration.among if self._exploration.share else 0
        try:
            rung, found = self._ladder.answer(question, wanted + behind, max(first, question.first))
        except TrifocalError as error:
            return error
        with watch.stage("adjust"):
            # Vectors may be what is broken, so that an answer from memory is not led by them afterwards either.
            vectors = None if rung == "memory" else self._engine.vectors
            ranking = diversified(found, vectors, ask.k, ask.diversity)
            chances: Sequence[float] = ()
            if rung == "full":
                # A list for a query or within filters is no answer to the next question; a probe may be a bad one.
                if question.is_plain and not self.entrance.rung:
                    self.last_lists.keep(question.request, found)
                if behind:
                    ranking, chances = explored(ranking, found, self._exploration, question.kept.drawn)
        with watch.stage("answer"):
            by_model = self.personal and rung != "popular"
            why = reasons(question.request, ranking, vectors, self._catalogue, by_model=by_model)
            items = self._scored(ranking, why, chances)
        answer = Answer(items, rung, self.model_version, watch.stages_ms, question.notes, self._variant)
        if self._answers is not None and self._is_kept(question.kept):
            self._answers.put(
                ask, question.kept.known, answer, now_s=question.kept.now_s, catalogue_version=self.catalogue_version
            )
        return answer

    def _is_kept(self, kept: Kept) -> bool:
        # What chance put into a list must not stand there for everybody who asks until it leaves the cache; nor is a
        # list from there given while the model that made it is under suspicion.
        return kept.drawn >= self._exploration.share and not self.entrance.rung

    def _excluded(self, filters: Filters, item_ids: Sequence[str], seen: IntArray | None) -> IntArray:
        named = self._catalogue.vocabulary.rows(item_ids) if item_ids else _NOTHING
        parts = [self._catalogue.barred_rows(filters), named[named >= 0]]
        if seen is not None:
            parts.append(seen)
        return np.unique(np.concatenate(parts))

    def _scored(
        self, ranking: Rankings, why: Sequence[Reason | None] = (), chances: Sequence[float] = ()
    ) -> tuple[ScoredItem, ...]:
        places, scores = ranking.item_rows[0].tolist(), ranking.scores[0].tolist()
        given, known = why or [None] * len(places), chances or [1.0] * len(places)
        return tuple(
            ScoredItem(self._catalogue.card(row), score, reason, chance)
            for row, score, reason, chance in zip(places, scores, given, known, strict=True)
            if row >= 0
        )


_NOTHING = np.zeros(0, dtype=np.int64)
