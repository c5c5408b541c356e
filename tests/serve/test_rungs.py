from __future__ import annotations

import logging

import numpy as np
import pytest

from trifocal.errors import ConfigError
from trifocal.serve.rungs import Rung, first_usable
from trifocal.serve.statuses import UnavailableError
from trifocal.types import Rankings


def ranking(*rows: int, score: float = 1.0) -> Rankings:
    scores = np.where(np.array([rows]) >= 0, score, -np.inf).astype(np.float32)
    return Rankings(np.array([rows], np.int64), scores)


def fails(_question: str, _k: int) -> Rankings:
    raise RuntimeError("out of memory")


def declines(_question: str, _k: int) -> Rankings:
    raise ConfigError("no encoder here")


GOOD = Rung[str, Rankings]("good", lambda _question, _k: ranking(1, 2))
EMPTY = Rung[str, Rankings]("empty", lambda _question, _k: ranking(-1, -1))
NAN = Rung[str, Rankings]("nan", lambda _question, _k: ranking(1, 2, score=float("nan")))


def test_the_first_that_answers_is_taken() -> None:
    name, found = first_usable([GOOD, EMPTY], "?", 2)
    assert (name, found.item_rows.tolist()) == ("good", [[1, 2]])


@pytest.mark.parametrize("broken", [Rung("broken", fails), Rung("broken", declines), EMPTY, NAN])
def test_the_next_answers_for_a_broken_one(broken: Rung[str, Rankings]) -> None:
    assert first_usable([broken, GOOD], "?", 2)[0] == "good"


def test_a_failure_is_logged_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        first_usable([Rung("model", fails), Rung("other", declines), GOOD], "?", 2)
    assert "rung model failed" in caplog.text
    assert "RuntimeError: out of memory" in caplog.text
    assert "rung other cannot answer, the next one does: no encoder here" in caplog.text


def test_nothing_left_to_answer_is_an_empty_answer() -> None:
    name, found = first_usable([EMPTY, Rung("last", EMPTY.answer)], "?", 2)
    assert (name, found.item_rows.tolist()) == ("last", [[-1, -1]])


def test_when_every_rung_fails_the_error_names_them() -> None:
    with pytest.raises(UnavailableError, match=r"none of the rungs \['a', 'b'\] could answer"):
        first_usable([Rung("a", fails), Rung("b", declines)], "?", 2)
