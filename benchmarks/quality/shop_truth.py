"""Recommenders that know the truth of a sample shop: nothing that learns may import this. Used by `shop_oracle`.

Letters: B requests, N items of the split, U users.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from trifocal import columns as c
from trifocal.data.shop.behaviour import CLICK_SHARPNESS, examination
from trifocal.data.shop.exposure import Shelf, fill_slots
from trifocal.data.shop.shoppers import Shoppers
from trifocal.data.shop.truth import read_truth
from trifocal.data.shop.utility import Utility
from trifocal.data.shop.visits import PAGE_SIZES, sample_visits
from trifocal.data.splits import Split
from trifocal.ranking import top_k
from trifocal.types import EventType, FloatArray, IntArray, Rankings, Request, Vocabulary

__all__ = ["EXPOSURE", "ORACLE", "ExposureOracle", "Truth", "UtilityOracle", "known_shelf"]

ORACLE, EXPOSURE = "utility", "utility + exposure"
# As in `trifocal.data.shop.behaviour`, where popularity forgets; a test holds them together.
POPULARITY_DECAY, POPULARITY_PRIOR = 0.75, 2.0
_WEEK, _DAY_S = 7, 86_400
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """The truth of a shop, and where in it the items of a vocabulary stand.

    Attributes:
        utility: of all shoppers for all products of the shop.
        shoppers: ids of the rows of `utility`.
        products: ids of its columns.
        columns: (N,) column of each item of the vocabulary that is ranked.
        start: first simulated day.
    """

    utility: Utility
    shoppers: Vocabulary
    products: Vocabulary
    columns: IntArray
    start: date

    @classmethod
    def read(cls, folder: Path, vocabulary: Vocabulary) -> Truth:
        """Return the truth in `folder`, a folder `truth` of `trifocal shop generate`."""
        utility, user_ids, item_ids = read_truth(folder)
        about = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        products = Vocabulary.of(item_ids)
        start = date.fromisoformat(about["config"]["start"])
        return cls(utility, Vocabulary.of(user_ids), products, products.rows(vocabulary.ids), start)

    def days(self, seconds: Sequence[int]) -> Values:
        """Return days since the start of the shop of times in `seconds` since 1970."""
        midnight = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC).timestamp()
        return (np.asarray(seconds, dtype=np.float64) - midnight) / _DAY_S


@dataclass(frozen=True)
class UtilityOracle:
    """Ranks by the true utility at the time of the request."""

    truth: Truth
    name: str = ORACLE

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` items of greatest utility that each request does not exclude."""
        rows = self.truth.shoppers.rows([str(request.user_id) for request in requests])
        days = self.truth.days([request.context.timestamp_s for request in requests])
        scores = self.truth.utility.block(rows, days, self.truth.columns)
        return top_k(scores, k, exclude=[request.exclude for request in requests])


@dataclass(frozen=True)
class ExposureOracle:
    """Ranks by expected clicks: what is shown, looked at and wished for.

    Attributes:
        scores: (U, N) expected clicks in the days of the test, with one visit a day.
        users: ids of the rows of `scores`.
    """

    scores: FloatArray
    users: Vocabulary
    name: str = EXPOSURE

    @classmethod
    def of(cls, truth: Truth, split: Split, users: Vocabulary, *, replays: int, seed: int = 0) -> ExposureOracle:
        """Return the oracle for `users` on the test of `split`, whose days the shop's own code plays `replays` times.

        The shelf is that after validation and stays so: how popularity goes on depends on the clicks of the test.
        """
        first_day = int(truth.days(split.test[c.TIMESTAMP].dt.epoch("s").to_list()).min())
        asking = _asking(truth, users, first_day)
        shelf = known_shelf(truth, split.before("test"), users)
        rng = np.random.default_rng(seed)
        scores = np.zeros((len(users), len(truth.columns)))
        for _ in range(replays):
            scores += _expected_clicks(asking, shelf, rng)[:, truth.columns]
        return cls((scores / replays).astype(np.float32), users)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` items of most expected clicks that each request does not exclude."""
        rows = self.users.rows([str(request.user_id) for request in requests])
        return top_k(self.scores[rows], k, exclude=[request.exclude for request in requests])


def known_shelf(truth: Truth, events: pl.DataFrame, users: Vocabulary) -> Shelf:
    """Return what the shop knows after `events`: clicks of all, decayed by week, and what each of `users` clicked."""
    clicks = events.filter(pl.col(c.EVENT) == EventType.CLICK.value)
    items = truth.products.rows(clicks[c.ITEM_ID].to_list())
    weeks = truth.days(clicks[c.TIMESTAMP].dt.epoch("s").to_list()) // _WEEK
    weights = POPULARITY_DECAY ** (weeks.max(initial=0) - weeks)
    prior = POPULARITY_PRIOR * np.exp(0.5 * truth.utility.products.quality)
    rows = users.rows(clicks[c.USER_ID].to_list())
    clicked = np.zeros((len(users), len(truth.products)), dtype=np.bool_)
    clicked[rows[rows >= 0], items[rows >= 0]] = True
    return Shelf(np.bincount(items, weights, len(truth.products)) + prior, clicked)


def _asking(truth: Truth, users: Vocabulary, first_day: int) -> Utility:
    """Return the utility of `users` alone, who come on every day from `first_day` on."""
    shoppers, rows = truth.utility.shoppers, truth.shoppers.rows(users.ids)
    chosen = {f.name: getattr(shoppers, f.name)[rows] for f in fields(Shoppers)}
    chosen["join_day"] = np.full(len(rows), first_day)
    chosen["sessions"] = np.full(len(rows), truth.utility.days - first_day)
    return replace(truth.utility, shoppers=Shoppers(**chosen))


def _expected_clicks(utility: Utility, shelf: Shelf, rng: np.random.Generator) -> Values:
    """Return (U, products) the chance of a click, summed over what one play of all visits shows."""
    visits = sample_visits(utility, rng)
    shown = fill_slots(utility, visits, shelf, rng)
    visit, slot = np.nonzero(shown >= 0)
    item, device, shopper = shown[visit, slot], visits.device[visit], visits.shopper[visit]
    # Empty slots close up, as in `behaviour.play`.
    place = np.arange(len(visit)) - np.searchsorted(visit, visit)
    looked_at = examination(place % PAGE_SIZES[device] + 1, device)
    distance = utility.weights.click_threshold - utility.pairs(shopper, visits.day[visit], item)
    chance = looked_at / (1 + np.exp(CLICK_SHARPNESS * distance))
    shape = shelf.clicked.shape
    sums = np.bincount(shopper * shape[1] + item, chance, shape[0] * shape[1])
    return np.asarray(sums, dtype=np.float64).reshape(shape)
