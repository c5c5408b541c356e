from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from trifocal.data.cases import Cases
from trifocal.errors import DataError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.gate import of_items, verdict_of
from trifocal.types import History, IntArray, Rankings, Request, UserId

CONFIG = EvaluateConfig(k=20, bootstrap_samples=200)
N = 30


class FixedOrder:
    """Recommends the items of `order`, but for what is excluded."""

    def __init__(self, order: Sequence[int]) -> None:
        self.name, self._order = "fixed", order

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        lists = [[row for row in self._order if row not in set(r.exclude.tolist())] for r in requests]
        rows = np.array([(found + [-1] * k)[:k] for found in lists], dtype=np.int64)
        return Rankings(rows, np.where(rows < 0, -np.inf, 1.0).astype(np.float32))


def cases(truths: Sequence[Sequence[int]]) -> Cases:
    users = tuple(UserId(f"u{n}") for n in range(len(truths)))
    requests = tuple(Request(History(), exclude=np.array([29]), user_id=user) for user in users)
    return Cases(users, requests, tuple(np.array(truth, dtype=np.int64) for truth in truths))


def known(*rows: int) -> IntArray:
    return np.array(rows, dtype=np.int64)


def test_the_better_model_is_promoted_by_the_whole_interval() -> None:
    # nDCG@10 of an only answer in place 1 is 1, in place 2 it is 1 / log2(3).
    verdict = verdict_of(
        FixedOrder(range(N)),
        FixedOrder([1, 0, *range(2, N)]),
        cases([[0]] * 20),
        CONFIG,
        known=known(0, 1),
        n_items=N,
        margin=0.0,
    )
    assert (verdict.whole.updated, verdict.whole.cases) == (1.0, 20)
    assert verdict.whole.serving == pytest.approx(1 / np.log2(3))
    assert verdict.whole.low == pytest.approx(1 - 1 / np.log2(3))
    assert verdict.promoted


def test_the_worse_model_is_kept_back_unless_the_margin_allows_it() -> None:
    models = FixedOrder([1, 0, *range(2, N)]), FixedOrder(range(N))
    found = [
        verdict_of(*models, cases([[0]] * 20), CONFIG, known=known(0), n_items=N, margin=margin).promoted
        for margin in (0.0, 0.3, 0.4)
    ]
    # The gap is 1 / log2(3) - 1 = -0.369 of a serving figure of 1.
    assert found == [False, False, True]


def test_old_items_are_compared_among_themselves() -> None:
    # The updated model puts the new item 5 first, which is right for the first user alone.
    verdict = verdict_of(
        FixedOrder([5, 0, 1]),
        FixedOrder([0, 1]),
        cases([[5], [0]]),
        CONFIG,
        known=known(0, 1),
        n_items=N,
        margin=1.0,
    )
    assert verdict.whole.serving == 0.5
    assert verdict.known is not None
    assert (verdict.known.cases, verdict.known.updated, verdict.known.serving) == (1, 1.0, 1.0)
    assert verdict.to_json()["known_items"] == {
        "metric": "ndcg@10",
        "cases": 1,
        "updated": 1.0,
        "serving": 1.0,
        "gap": 0.0,
        "low": 0.0,
        "high": 0.0,
    }


def test_cases_of_some_items_ask_for_no_other() -> None:
    kept = of_items(cases([[5], [0, 5]]), known(0, 1), N)
    assert kept.user_ids == ("u1",)
    assert kept.truths[0].tolist() == [0]
    assert kept.requests[0].exclude.tolist() == list(range(2, N))


def test_no_old_item_asked_for_is_no_figure() -> None:
    verdict = verdict_of(
        FixedOrder([5]), FixedOrder([0]), cases([[5]] * 3), CONFIG, known=known(0), n_items=N, margin=0.0
    )
    assert verdict.known is None
    assert verdict.to_json()["known_items"] is None


def test_nobody_to_ask_is_said() -> None:
    with pytest.raises(DataError, match=r"0 cases were given .* hold out more days"):
        verdict_of(FixedOrder([0]), FixedOrder([0]), cases([]), CONFIG, known=known(0), n_items=N, margin=0.0)
