"""Who comes when, on which device, looking for what. Arrays of S visits (sessions), ordered by time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.products import TEXT_PROPERTIES
from trifocal.data.shop.shoppers import DEVICES
from trifocal.data.shop.utility import Utility
from trifocal.data.shop.wares import FUNCTIONS, OCCASIONS, WARES
from trifocal.types import IntArray

__all__ = ["PAGES_MOST", "PAGE_SIZES", "Visits", "plan_visits", "sample_visits"]

# Products on one page, by device.
PAGE_SIZES = np.array([7, 10, 8])
PAGES_MOST = 4
_PAGE_SHARES = (0.42, 0.30, 0.17, 0.11)
_QUERY_SHARE = 0.18
_OTHER_DEVICE_SHARE = 0.15
# Intent is drawn by interest: the smaller, the more a favourite category dominates.
_INTENT_TEMPERATURE = 1.3
_HOUR_SPREAD = 1.8


@dataclass(frozen=True)
class Visits:
    """S visits, oldest first; a shopper comes at most once a day.

    Attributes:
        shopper: (S,) row of the shopper.
        day: (S,) float64 start, days since the first midnight.
        intent: (S,) category that is looked for.
        query_property: (S,) position in `TEXT_PROPERTIES` of the word that was searched for, -1 = no search.
        device: (S,) position in `DEVICES`.
        slots: (S,) how many products are shown.
    """

    shopper: IntArray
    day: Numbers
    intent: IntArray
    query_property: IntArray
    device: IntArray
    slots: IntArray

    def __len__(self) -> int:
        return len(self.shopper)


def sample_visits(utility: Utility, rng: np.random.Generator) -> Visits:
    """Return random visits of the shoppers of `utility`."""
    shopper, day = _moments(utility, rng)
    return plan_visits(utility, shopper, day, rng)


def plan_visits(utility: Utility, shopper: IntArray, day: Numbers, rng: np.random.Generator) -> Visits:
    """Return visits of `shopper` (S,) at `day` (S,): what each looks for, on which device, how much of it."""
    usual = utility.shoppers.device[shopper]
    device = np.where(
        rng.random(len(shopper)) < _OTHER_DEVICE_SHARE, rng.integers(len(DEVICES), size=len(shopper)), usual
    )
    interest = utility.categories(shopper, day) / _INTENT_TEMPERATURE
    intent = np.argmax(interest + rng.gumbel(size=interest.shape), axis=1)
    pages = rng.choice(PAGES_MOST, size=len(shopper), p=_PAGE_SHARES) + 1
    return Visits(
        shopper=shopper,
        day=day,
        intent=intent,
        query_property=_queries(utility, shopper, intent, rng),
        device=device,
        slots=pages * PAGE_SIZES[device],
    )


def _moments(utility: Utility, rng: np.random.Generator) -> tuple[IntArray, Numbers]:
    """Return shoppers and start times, ordered by time: distinct days of a shopper, at the shopper's usual hour."""
    shoppers = utility.shoppers
    keys = rng.random((len(shoppers), utility.days))
    keys[np.arange(utility.days) < shoppers.join_day[:, None]] = np.inf
    ranks = keys.argsort(axis=1).argsort(axis=1)
    shopper, day = np.nonzero(ranks < shoppers.sessions[:, None])
    hour = (shoppers.hour[shopper] + rng.normal(0, _HOUR_SPREAD, len(shopper))) % 24
    # The last hour of a day is left out, so that no session runs past the last midnight.
    start = day + np.minimum(hour, 22.9) / 24
    order = np.argsort(start, kind="stable")
    return shopper[order].astype(np.int64), start[order]


def _queries(utility: Utility, shopper: IntArray, intent: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the property that each visit searches for: a liked one among those of the category; -1 mostly."""
    searchable = np.zeros((len(WARES), len(TEXT_PROPERTIES)), dtype=bool)
    for code, ware in enumerate(WARES):
        for name in (*ware.occasions, *ware.functions):
            searchable[code, TEXT_PROPERTIES.index(name)] = name in OCCASIONS or name in FUNCTIONS
    searches = rng.random(len(shopper)) < _QUERY_SHARE
    liking = utility.shoppers.text_taste[shopper[searches]] * 2
    liking = np.where(searchable[intent[searches]], liking + rng.gumbel(size=liking.shape), -np.inf)
    wanted = np.full(len(shopper), -1, dtype=np.int64)
    wanted[searches] = np.argmax(liking, axis=1)
    return wanted
