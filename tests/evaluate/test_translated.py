from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trifocal.evaluate.translated import Terms, TranslatedRecommender
from trifocal.types import Context, History, Rankings, Request, UserId, Vocabulary

OWN = Terms(Vocabulary.of(["a", "b", "c", "gone"]), Vocabulary.of(["app", "web"]), Vocabulary.of(["SE"]))
CASES = Terms(Vocabulary.of(["new", "c", "a", "b"]), Vocabulary.of(["web", "tv"]), Vocabulary.of(["DE", "SE"]))


class Recorder:
    """Recommends every item that is not excluded, in the order of rows, and keeps what it was asked."""

    def __init__(self) -> None:
        self.name, self.asked = "recorder", [Request()]

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        self.asked = list(requests)
        lists = [np.setdiff1d(np.arange(4), request.exclude)[:k].tolist() for request in requests]
        rows = np.array([found + [-1] * (k - len(found)) for found in lists], dtype=np.int64)
        return Rankings(rows, np.where(rows < 0, -np.inf, 1.0).astype(np.float32))


def asked_and_answered() -> tuple[Request, Rankings]:
    history = History(
        np.array([0, 1, 3]), np.array([2, 3, 4]), np.array([10, 20, 30]), np.array([1, 2, 0]), np.array([2, 1, 0])
    )
    inner = Recorder()
    request = Request(history, Context(40, 1, 2), np.array([0, 1]), UserId("u"))
    answer = TranslatedRecommender(inner, OWN, CASES).recommend([request], 3)
    return inner.asked[0], answer


def test_history_and_context_arrive_in_the_terms_of_the_recommender() -> None:
    asked, _ = asked_and_answered()
    # `new` is unknown there; c and b are rows 2 and 1.
    assert asked.history.item_rows.tolist() == [2, 1]
    assert asked.history.event_codes.tolist() == [3, 4]
    assert asked.history.timestamps_s.tolist() == [20, 30]
    # tv and the unknown device are 0; DE is 0.
    assert asked.history.device_codes.tolist() == [0, 0]
    assert asked.history.country_codes.tolist() == [0, 0]
    assert (asked.context.timestamp_s, asked.context.device_code, asked.context.country_code) == (40, 2, 1)
    assert asked.user_id == "u"


def test_what_the_cases_do_not_know_is_never_answered() -> None:
    asked, answer = asked_and_answered()
    # Excluded are c, by the request, and `gone`, which the cases do not know.
    assert asked.exclude.tolist() == [2, 3]
    assert answer.item_rows.tolist() == [[2, 3, -1]]
    assert np.isneginf(answer.scores[0, 2])


def test_the_name_is_that_of_the_recommender() -> None:
    assert TranslatedRecommender(Recorder(), OWN, CASES).name == "recorder"
