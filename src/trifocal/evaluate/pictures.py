"""Small pictures for the report, inline, and the sample users that are shown with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal import columns as c
from trifocal.data.cases import Cases
from trifocal.data.dataset import Dataset
from trifocal.evaluate.protocol import Result
from trifocal.report import Card, data_uri
from trifocal.types import IntArray

__all__ = ["SampleUser", "Thumbnails", "sample_users"]

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


class Thumbnails:
    """Item row -> card with a small picture; each picture is read once."""

    def __init__(self, dataset: Dataset) -> None:
        columns = dataset.items.select(c.ITEM_ID, c.TITLE, c.IMAGE)
        self._items: list[tuple[str, str | None, str | None]] = columns.rows()
        self._root = dataset.image_root
        self._pictures: dict[int, str | None] = {}

    def of(self, row: int, *, hit: bool = False) -> Card:
        """Return the card of the item at `row`."""
        item_id, title, image = self._items[row]
        if row not in self._pictures:
            self._pictures[row] = None if image is None else data_uri(self._root / image)
        return Card(title or item_id, self._pictures[row], hit)


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
    thumbnails = Thumbnails(dataset)
    chosen = np.random.default_rng(seed).permutation(pool)[:size]
    return [_sample(int(place), cases, results, thumbnails) for place in chosen]


def _sample(place: int, cases: Cases, results: Sequence[Result], thumbnails: Thumbnails) -> SampleUser:
    truth = cases.truths[place]
    wanted = {int(row) for row in truth}

    def shown(rows: IntArray, *, marked: bool = False) -> list[Card]:
        return [thumbnails.of(int(row), hit=marked and int(row) in wanted) for row in rows if row >= 0]

    return SampleUser(
        cases.user_ids[place],
        shown(cases.requests[place].history.item_rows[-_HISTORY_SHOWN:]),
        shown(truth[:_TRUTH_SHOWN]),
        {result.name: shown(result.item_rows[place, :_PROPOSED_SHOWN], marked=True) for result in results},
    )
