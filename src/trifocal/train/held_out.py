"""Histories -> questions for the second stage: a part of what a user took is hidden, and is to be found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.train.config import SecondStageConfig
from trifocal.types import BoolArray, Context, History, IntArray

__all__ = ["Question", "held_out_questions"]


@dataclass(frozen=True)
class Question:
    """What a user took in part, and the rest.

    Attributes:
        taken: distinct rows of all the user took.
        history: what is shown, oldest first; may be empty.
        targets: distinct rows of what is to be found; never among `history`.
        context: of the first target.
    """

    taken: IntArray
    history: History
    targets: IntArray
    context: Context


def held_out_questions(
    histories: Sequence[History], config: SecondStageConfig, generator: np.random.Generator
) -> list[Question]:
    """Return up to `config.max_questions` questions in random order, `config.passes` of a user at most.

    `random` hides a share of a user's events wherever they stand (the rest of a basket, a split at random); `future`
    hides what came after a moment. A share of the questions hides everything: strangers come too.
    """
    able = [history for history in histories if len(np.unique(history.item_rows)) > 1]
    questions: list[Question] = []
    for _ in range(config.passes):
        for place in generator.permutation(len(able)):
            if len(questions) == config.max_questions:
                return questions
            question = _question(able[place], config, generator)
            if question is not None:
                questions.append(question)
    return questions


def _question(history: History, config: SecondStageConfig, generator: np.random.Generator) -> Question | None:
    if generator.random() < config.stranger_share:
        hidden = np.ones(len(history), dtype=np.bool_)
    elif config.hold_out == "random":
        hidden = _random_part(history, config.hidden_share, generator)
    else:
        hidden = _later_part(history, generator)
    shown = history.at(~hidden)
    targets = np.setdiff1d(history.item_rows[hidden], shown.item_rows)
    if len(targets) == 0:
        return None
    first = int(np.flatnonzero(hidden)[0])
    context = Context(
        int(history.timestamps_s[first]), int(history.device_codes[first]), int(history.country_codes[first])
    )
    return Question(np.unique(history.item_rows), shown, targets, context)


def _random_part(history: History, share: float, generator: np.random.Generator) -> BoolArray:
    distinct = np.unique(history.item_rows)
    count = max(1, round(share * len(distinct)))
    return np.isin(history.item_rows, generator.choice(distinct, count, replace=False))


def _later_part(history: History, generator: np.random.Generator) -> BoolArray:
    """Hide all from a random event on, with everything of the same moment; at least the newest moment."""
    times = history.timestamps_s
    cut = int(generator.integers(1, len(times)))
    hidden: BoolArray = np.arange(len(times)) >= cut if times[cut] == 0 else times >= times[cut]
    return hidden
