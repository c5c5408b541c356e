"""Users drawn at random for the report, with what they had, took and were proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.data.cards import ItemCards
from trifocal.data.cases import Cases
from trifocal.data.dataset import Dataset
from trifocal.evaluate.protocol import Result
from trifocal.report import Card

__all__ = ["SampleUser", "sample_users"]

_HISTORY_SHOWN = 6
_TRUTH_SHOWN = 12
_PROPOSED_SHOWN = 6


@dataclass(frozen=True)
class SampleUser:
    """One user with rows of items.

    Attributes:
        user_id: of the outside world.
        had: newest items of the history, oldest first.
        took: what they went on to take.
        proposed: model name -> the head of its list.
    """

    user_id: str
    had: list[Card]
    took: list[Card]
    proposed: dict[str, list[Card]]


def sample_users(
    cases: Cases, results: Sequence[Result], dataset: Dataset, *, size: int, seed: int
) -> list[SampleUser]:
    """Return `size` users drawn at random among those with a history (among all where none has one).

    Args:
        cases: the users.
        results: on these cases, in the order of the page.
        dataset: its items are in the order of the recommenders' rows.
        size: fewer are returned where there are fewer.
        seed: of the draw.
    """
    known = np.flatnonzero([len(request.history) > 0 for request in cases.requests])
    pool = known if len(known) else np.arange(len(cases))
    cards = ItemCards(dataset)
    chosen = np.random.default_rng(seed).permutation(pool)[:size]
    return [_sample(int(place), cases, results, cards) for place in chosen]


def _sample(place: int, cases: Cases, results: Sequence[Result], cards: ItemCards) -> SampleUser:
    truth = cases.truths[place]
    wanted = frozenset(int(row) for row in truth)
    return SampleUser(
        cases.user_ids[place],
        cards.of_rows(cases.requests[place].history.item_rows[-_HISTORY_SHOWN:]),
        cards.of_rows(truth[:_TRUTH_SHOWN]),
        {result.name: cards.of_rows(result.item_rows[place, :_PROPOSED_SHOWN], wanted) for result in results},
    )
