"""Golden questions: do the rungs that ask a model or its memory still answer as they did at the start?

A click is needed by no self-check, so that broken vectors are found before many shoppers saw them.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.errors import ServingError
from trifocal.serve.asks import Filters
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.engines import Engine
from trifocal.types import BoolArray, Context, FloatArray, History, IntArray, Rankings, Request

__all__ = ["CHECKED", "SelfCheck", "golden_histories"]

_LOGGER = logging.getLogger(__name__)

CHECKED: tuple[str, ...] = ("full", "retrieval", "memory")
"""The rungs that are checked: the others ask neither a model nor its memory."""

# Items compared of each list; at most this part of the catalogue, or any list would hold most of another.
_LENGTH, _PART = 10, 4
_BREATH_S = 0.005


@dataclass(frozen=True)
class _Golden:
    request: Request
    # Rung -> its best rows, best first.
    lists: dict[str, IntArray]


class SelfCheck:
    """Holds the lists of one engine's health against what it answers now. Stability: internal.

    Attributes:
        rungs: that the engine has: one without a memory is never asked for it.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue, histories: Sequence[History], now_s: float) -> None:
        """Ask the golden questions; what is answered now is what is right.

        Args:
            engine: healthy.
            catalogue: of its items.
            histories: of the questions.
            now_s: their time, seconds since 1970, UTC: always this one, or the hour would change the lists.
        """
        self._items = len(catalogue)
        self._length = max(1, min(_LENGTH, self._items // _PART))
        context = Context(timestamp_s=int(now_s))
        requests = [Request(history, context, np.unique(history.item_rows)) for history in histories]
        found = self._answers(engine, requests)
        self._golden = [
            _Golden(request, {rung: rows[: self._length] for rung, rows in lists.items()})
            for request, lists in zip(requests, found, strict=True)
        ]
        remembers = any(len(question.lists["memory"]) for question in self._golden)
        self.rungs = tuple(rung for rung in CHECKED if rung != "memory" or remembers)

    def __len__(self) -> int:
        return len(self._golden)

    def overlaps(self, engine: Engine, catalogue: Catalogue, places: Sequence[int] | None = None) -> dict[str, float]:
        """Return rung -> share of the golden items that it still answers, 0..1; 0 where it breaks.

        Args:
            engine: in force now; it may hold more items.
            catalogue: of its items; what was sold out or deleted meanwhile counts on neither side.
            places: which of the questions; None = all.
        """
        golden = self._golden if places is None else [self._golden[place % len(self._golden)] for place in places]
        if not golden:
            return dict.fromkeys(self.rungs, 1.0)
        requests = [question.request for question in golden]
        try:
            found = self._answers(engine, requests)
        except Exception:
            # Whatever it is, shoppers meet it too; the log says what it was. The memory needs no model.
            _LOGGER.exception("the self-check failed: the model does not answer")
            found = [self._memory_alone(engine, request) for request in requests]
        barred = catalogue.barred(Filters())
        return {
            rung: float(
                np.mean(
                    [
                        self._overlap(question.lists[rung], lists[rung], barred)
                        for question, lists in zip(golden, found, strict=True)
                    ]
                )
            )
            for rung in self.rungs
        }

    def _overlap(self, golden: IntArray, now: IntArray, barred: BoolArray) -> float:
        golden = golden[~barred[golden]]
        if not len(golden):
            return 1.0
        # An item that joined since pushes others back, and is no fault.
        now = now[now < self._items]
        now = now[~barred[now]][: len(golden)]
        return len(np.intersect1d(golden, now)) / len(golden)

    def _answers(self, engine: Engine, requests: Sequence[Request]) -> list[dict[str, IntArray]]:
        if not requests:
            return []
        users = engine.encode(requests)
        lists = []
        for request, user in zip(requests, users, strict=True):
            # Whoever waits for Python's lock comes first: a check in one go would hold up an answer by all of it.
            time.sleep(_BREATH_S)
            lists.append(self._lists(engine, request, user))
        return lists

    def _lists(self, engine: Engine, request: Request, user: FloatArray) -> dict[str, IntArray]:
        candidates = engine.retrieve(request, user, 2 * self._length)
        try:
            full = _rows(engine.rank(request, candidates))
        except Exception:
            _LOGGER.exception("the self-check failed: the ranker does not answer")
            full = np.zeros(0, np.int64)
        return self._memory_alone(engine, request) | {"full": full, "retrieval": _rows(candidates.ranking())}

    def _memory_alone(self, engine: Engine, request: Request) -> dict[str, IntArray]:
        """What the memory answers, and nothing from the rungs above."""
        lists = {rung: np.zeros(0, np.int64) for rung in CHECKED}
        try:
            lists["memory"] = _rows(engine.remember(request, 2 * self._length).ranking())
        except ServingError as error:
            _LOGGER.debug("no golden list of the rung memory: %s", error)
        except Exception:
            _LOGGER.exception("the self-check failed: the memory does not answer")
        return lists


def golden_histories(known: Sequence[History], items: int, count: int, seed: int) -> list[History]:
    """Return `count` histories to ask by: those of shoppers, and drawn ones where there are too few.

    Args:
        known: histories of the bundle; empty ones are left out.
        items: in the catalogue.
        count: how many.
        seed: of the draw.
    """
    found = [history for history in known if len(history.item_rows)][:count]
    draws = random.Random(seed)
    while len(found) < count and items:
        found.append(History.of_rows([draws.randrange(items) for _ in range(3)]))
    return found


def _rows(ranking: Rankings) -> IntArray:
    rows = ranking.item_rows[0]
    usable: IntArray = rows[(rows >= 0) & np.isfinite(ranking.scores[0])]
    return usable
