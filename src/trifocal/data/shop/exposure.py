"""What the shop puts before a visitor: a mix of policies fills the slots of a visit.

Inside the category that is looked for: popular, newest, browsing at random, search hits, and a crude personal order
(utility with much noise). Outside of it, a few popular products of the whole shop. Nothing is shown before it exists,
nor twice in a visit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.utility import Utility
from trifocal.data.shop.visits import PAGE_SIZES, PAGES_MOST, Visits
from trifocal.types import BoolArray, IntArray

__all__ = ["SLOTS_MOST", "Shelf", "fill_slots"]

SLOTS_MOST = int(PAGE_SIZES.max()) * PAGES_MOST
# Shares of the slots: popular, newest, browse, personal, elsewhere. A search turns "browse" and "popular" into hits.
_POLICY_SHARES = (0.26, 0.22, 0.06, 0.34, 0.12)
_POPULAR, _NEWEST, _BROWSE, _PERSONAL, _ELSEWHERE = range(5)
# How far chance stirs the order of each policy, in its own unit: log popularity, weeks, nothing, utility.
_NOISE = (1.0, 1.5, 1.0, 1.2)
_POPULAR_SHARPNESS = 2.5
_HIT_BONUS = 6.0
# The personal order lifts new arrivals, as shops do; in units of utility, fading with age.
_ARRIVAL_BONUS, _ARRIVAL_DAYS = 2.0, 21.0
# A product that the shopper clicked before is left out this often: the shop does not repeat itself much.
_FORGET_CLICKED = 0.85


@dataclass(frozen=True)
class Shelf:
    """What the shop knows at the start of a week.

    Attributes:
        popularity: (N,) decayed clicks plus a prior, positive.
        clicked: (U, N) True where the shopper has clicked the product.
    """

    popularity: Numbers
    clicked: BoolArray


@dataclass(frozen=True)
class _Aisle:
    """The S visits that look for one category, and its K products.

    Attributes:
        shoppers: (S,) rows of the shoppers.
        days: (S,) starts.
        columns: (K,) rows of the products.
        hits: (S, K) True where the product has what the visit searches for.
        policy: (S, SLOTS_MOST) the policy of each slot, -1 = no slot.
    """

    shoppers: IntArray
    days: Numbers
    columns: IntArray
    hits: BoolArray
    policy: IntArray


def fill_slots(utility: Utility, visits: Visits, shelf: Shelf, rng: np.random.Generator) -> IntArray:
    """Return (S, SLOTS_MOST) products shown to each visit in order, -1 = nothing."""
    size = len(visits)
    policy = rng.choice(len(_POLICY_SHARES), size=(size, SLOTS_MOST), p=_POLICY_SHARES)
    policy[np.arange(SLOTS_MOST) >= visits.slots[:, None]] = -1
    shown = np.full((size, SLOTS_MOST), -1, dtype=np.int64)
    for intent in np.unique(visits.intent):
        chosen = np.flatnonzero(visits.intent == intent)
        columns = np.flatnonzero(utility.products.category == intent)
        hits = _hits(utility, visits.query_property[chosen], columns)
        aisle = _Aisle(visits.shopper[chosen], visits.day[chosen], columns, hits, policy[chosen])
        shown[chosen] = _within_category(utility, aisle, shelf, rng)
    session, slot = np.nonzero(policy == _ELSEWHERE)
    drawn, fits = _popular_elsewhere(utility, visits, session, shelf, rng)
    shown[session[fits], slot[fits]] = drawn[fits]
    return shown


def _within_category(utility: Utility, aisle: _Aisle, shelf: Shelf, rng: np.random.Generator) -> IntArray:
    open_to = utility.products.created_day[aisle.columns] <= aisle.days[:, None]
    known = shelf.clicked[np.ix_(aisle.shoppers, aisle.columns)]
    open_to &= ~(known & (rng.random(open_to.shape) < _FORGET_CLICKED))
    shown = np.full(aisle.policy.shape, -1, dtype=np.int64)
    for policy in (_PERSONAL, _POPULAR, _NEWEST, _BROWSE):
        keys = _keys(policy, utility, aisle, shelf) + rng.gumbel(size=open_to.shape) * _NOISE[policy]
        _take_best(shown, aisle.policy == policy, np.where(open_to, keys, -np.inf), aisle.columns, open_to)
    return shown


def _keys(policy: int, utility: Utility, aisle: _Aisle, shelf: Shelf) -> Numbers:
    """Return (S, K) the order of the products under `policy`, before noise; the greater, the earlier."""
    age_days = aisle.days[:, None] - utility.products.created_day[aisle.columns]
    if policy == _PERSONAL:
        arrival = _ARRIVAL_BONUS * np.exp(-np.abs(age_days) / _ARRIVAL_DAYS)
        return np.asarray(utility.block(aisle.shoppers, aisle.days, aisle.columns) + arrival)
    if policy == _NEWEST:
        return np.asarray(-age_days / 7)
    bonus = _HIT_BONUS * aisle.hits
    if policy == _POPULAR:
        return np.asarray(_POPULAR_SHARPNESS * np.log(shelf.popularity[aisle.columns]) + bonus)
    return np.asarray(bonus)


def _hits(utility: Utility, query_property: IntArray, columns: IntArray) -> BoolArray:
    """Return (S, K) True where the product has the property that is searched for."""
    # Centred codes: the property is there exactly where the value is positive.
    has = utility.products.text[columns] > 0
    return np.asarray((query_property >= 0)[:, None] & has[:, query_property].T)


def _take_best(shown: IntArray, wanted: BoolArray, keys: Numbers, columns: IntArray, open_to: BoolArray) -> None:
    """Put the best products by `keys` into the `wanted` slots of `shown`, and close them for the next policy."""
    order = np.argsort(-keys, axis=1)
    ordinal = np.minimum(np.cumsum(wanted, axis=1) - 1, len(columns) - 1)
    best = np.take_along_axis(order, np.maximum(ordinal, 0), axis=1)
    left = np.cumsum(wanted, axis=1) <= open_to.sum(axis=1)[:, None]
    fits = wanted & left
    shown[fits] = columns[best[fits]]
    row = np.nonzero(fits)[0]
    open_to[row, best[fits]] = False


def _popular_elsewhere(
    utility: Utility, visits: Visits, session: IntArray, shelf: Shelf, rng: np.random.Generator
) -> tuple[IntArray, BoolArray]:
    """Return for each slot, given by its `session`, a product drawn by popularity, and whether it may be shown."""
    share = shelf.popularity / shelf.popularity.sum()
    drawn = rng.choice(len(share), size=len(session), p=share)
    fits = utility.products.created_day[drawn] <= visits.day[session]
    fits &= ~shelf.clicked[visits.shopper[session], drawn]
    fits &= utility.products.category[drawn] != visits.intent[session]
    _, first = np.unique(session * len(share) + drawn, return_index=True)
    once = np.zeros_like(fits)
    once[first] = True
    return drawn, fits & once
