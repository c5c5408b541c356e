"""The ladder of fallbacks: named rungs in order, each with its own catch. Knows no HTTP and no id."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from trifocal.errors import ServingError, TrifocalError
from trifocal.serve.statuses import UnavailableError
from trifocal.types import Rankings

__all__ = ["Rung", "StageLateError", "first_usable"]

_LOGGER = logging.getLogger(__name__)

_Question = TypeVar("_Question")
_Found = TypeVar("_Found")


class StageLateError(ServingError):
    """The time of a question was up before one of its stages; a cheaper rung answers. Stability: internal."""


@dataclass(frozen=True)
class Rung(Generic[_Question, _Found]):
    """One way to answer: its name, and (question, k) -> what was found."""

    name: str
    answer: Callable[[_Question, int], _Found]

    def attempt(self, question: _Question, k: int) -> _Found | None:
        """Return what was found, or None where it failed, which the log then tells."""
        try:
            return self.answer(question, k)
        except TrifocalError as error:
            _LOGGER.warning("rung %s cannot answer, the next one does: %s", self.name, error)
        except Exception:
            # Whatever breaks a rung, a shopper still gets an answer; the log says what it was.
            _LOGGER.exception("rung %s failed, the next one answers", self.name)
        return None


def first_usable(rungs: Sequence[Rung[_Question, Rankings]], question: _Question, k: int) -> tuple[str, Rankings]:
    """Return the name and ranking of the first rung that answers; the last one's may be empty.

    Raises:
        UnavailableError: when every rung failed.
    """
    empty: tuple[str, Rankings] | None = None
    for rung in rungs:
        ranking = rung.attempt(question, k)
        if ranking is None:
            continue
        if _is_usable(ranking):
            return rung.name, ranking
        empty = (rung.name, ranking)
    if empty is None:
        names = [rung.name for rung in rungs]
        raise UnavailableError(f"none of the rungs {names} could answer; the log of the server says why")
    return empty


def _is_usable(ranking: Rankings) -> bool:
    filled = ranking.item_rows[0] >= 0
    return bool(filled.any()) and bool(np.isfinite(ranking.scores[0][filled]).all())
