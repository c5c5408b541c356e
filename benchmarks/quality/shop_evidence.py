"""Events of a sample shop -> what they tell about each shopper, as tensors for `shop_inference`.

```
impressions   what was shown where, and whether it was clicked
visits        which category was looked for
replies       dwell, cart and purchase after a click
searches      which property was searched for
slots         which product of the category the shop chose: a third of its choices follow the shopper's utility
```

Letters: U users, N products of the shop, P impressions, S visits, R clicks, Q searches, C categories,
K products of the largest category, L slots filled from the category that was looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from benchmarks.quality.shop_truth import Truth
from torch import Tensor

from trifocal import columns as c
from trifocal.data.shop.behaviour import examination
from trifocal.data.shop.products import TEXT_PROPERTIES
from trifocal.data.shop.shoppers import DEVICES
from trifocal.data.shop.wares import WARES
from trifocal.data.shop.writing import query_text
from trifocal.types import EventType, IntArray, Vocabulary

__all__ = ["Evidence", "Impressions", "Replies", "Searches", "Slots", "Visits", "gather"]

# As in `trifocal.data.shop.behaviour` and `exposure`; tests hold them together.
DWELL_BASE_S = np.array([9.0, 16.0, 13.0])
ARRIVAL_BONUS, ARRIVAL_DAYS, FORGET_CLICKED = 2.0, 21.0, 0.85
_CART_S, _LEAST_DWELL_S = 2.0, 0.05
_WEEK, _FEWEST = 7, 0.5
_PAIR = [c.SESSION_ID, c.ITEM_ID]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Impressions:
    """P impressions: `user`, `item`, `clicked`, `day` since the start, `looked_at`, the chance of a look. Each (P,)."""

    user: Tensor
    item: Tensor
    clicked: Tensor
    day: Tensor
    looked_at: Tensor


@dataclass(frozen=True)
class Replies:
    """R clicks: `impression`, a row of the impressions; `log_dwell`, of dwell / base; `carted`, `bought`. Each (R,)."""

    impression: Tensor
    log_dwell: Tensor
    carted: Tensor
    bought: Tensor


@dataclass(frozen=True)
class Visits:
    """S visits: `user`, `day`, `intent`, the category that most of what was shown is of. Each (S,)."""

    user: Tensor
    day: Tensor
    intent: Tensor


@dataclass(frozen=True)
class Searches:
    """Q searches: `user` and `wanted` property (Q,); `offered` (Q, properties), True where one can be searched for."""

    user: Tensor
    wanted: Tensor
    offered: Tensor


@dataclass(frozen=True)
class Slots:
    """What the shop chose from the category that was looked for.

    Attributes:
        columns: (S, K) products of the category of each visit; padding repeats the first product of the shop.
        arrival: (S, K) what the shop adds to the utility of a new product; -inf = padding, or not there yet.
        known: (S, K) True where the shopper clicked the product in an earlier week.
        visit: (L,) row of the visit, ascending; within a visit in the order of the page.
        place: (L,) which of its `columns` was shown.
        first: (L,) row of the first slot of the same visit.
        usual: (L,) share of that product in what everybody was shown of the category in that week; it tells little
            in a shop of few shoppers, where one of them is much of everybody.
    """

    columns: Tensor
    arrival: Tensor
    known: Tensor
    visit: Tensor
    place: Tensor
    first: Tensor
    usual: Tensor


@dataclass(frozen=True)
class Evidence:
    """All that is known of U users; `device` (U,) is the one they mostly came with, the first for strangers."""

    device: IntArray
    impressions: Impressions
    visits: Visits
    replies: Replies
    searches: Searches
    slots: Slots


def gather(truth: Truth, events: pl.DataFrame, users: Vocabulary) -> Evidence:
    """Return what `events` (of all users) tell about `users`."""
    own = _impressions_with_replies(events.filter(pl.col(c.USER_ID).is_in(list(users.ids))))
    impressions = _impressions(truth, own, users)
    first, visit = np.unique(own[c.SESSION_ID].to_numpy(), return_index=True, return_inverse=True)[1:]
    visits, searches = _visits_and_searches(truth, impressions, own[c.QUERY].gather(first).to_list(), first, visit)
    slots = _slots(truth, impressions, visits, visit, _usual_shares(truth, events))
    counts = np.zeros((len(users), len(DEVICES)), dtype=np.int64)
    np.add.at(counts, (impressions.user.numpy()[first], _devices(own[first])), 1)
    return Evidence(counts.argmax(axis=1), impressions, visits, _replies(own), searches, slots)


def _impressions_with_replies(events: pl.DataFrame) -> pl.DataFrame:
    """Return the impressions with columns click, cart, purchase and the dwell of the click; a visit shows once."""
    shown = events.filter(pl.col(c.EVENT) == EventType.IMPRESSION.value).drop(c.DWELL_MS)
    for event in (EventType.CLICK, EventType.CART, EventType.PURCHASE):
        kept = [*_PAIR, c.DWELL_MS] if event is EventType.CLICK else _PAIR
        done = events.filter(pl.col(c.EVENT) == event.value).select(kept).with_columns(pl.lit(True).alias(event.value))
        shown = shown.join(done, on=_PAIR, how="left", maintain_order="left")
    return shown.with_columns(pl.col("click", "cart", "purchase").fill_null(False))


def _impressions(truth: Truth, own: pl.DataFrame, users: Vocabulary) -> Impressions:
    return Impressions(
        user=_whole(users.rows(own[c.USER_ID].to_list())),
        item=_whole(truth.products.rows(own[c.ITEM_ID].to_list())),
        clicked=torch.tensor(own["click"].to_numpy()),
        day=_real(truth.days(own[c.TIMESTAMP].dt.epoch("s").to_list())),
        looked_at=_real(examination(own[c.POSITION].to_numpy(), _devices(own))),
    )


def _replies(own: pl.DataFrame) -> Replies:
    clicked = own.filter(pl.col("click"))
    dwell_s = clicked[c.DWELL_MS].to_numpy() / 1000 - _CART_S * clicked["cart"].to_numpy()
    ratio = np.maximum(dwell_s, _LEAST_DWELL_S) / DWELL_BASE_S[_devices(clicked)]
    return Replies(
        impression=_whole(np.flatnonzero(own["click"].to_numpy())),
        log_dwell=_real(np.log(ratio)),
        carted=torch.tensor(clicked["cart"].to_numpy()),
        bought=torch.tensor(clicked["purchase"].to_numpy()),
    )


def _visits_and_searches(
    truth: Truth, shown: Impressions, queries: list[str | None], first: IntArray, visit: IntArray
) -> tuple[Visits, Searches]:
    """Return the visits, which begin with the impressions `first` (S,); `visit` (P,) tells which each belongs to."""
    category = truth.utility.products.category[shown.item.numpy()]
    counts = np.bincount(visit * len(WARES) + category, minlength=len(first) * len(WARES))
    intent = counts.reshape(len(first), len(WARES)).argmax(axis=1)
    meanings = {query_text(code, name): name for code in range(len(WARES)) for name in TEXT_PROPERTIES}
    searched = np.array([row for row, query in enumerate(queries) if query is not None], dtype=np.int64)
    wanted = [TEXT_PROPERTIES.index(meanings[str(queries[row])]) for row in searched]
    visits = Visits(shown.user[first], shown.day[first], _whole(intent))
    offered = torch.tensor(_searchable()[intent[searched]])
    # A visit whose intent is read wrongly, one in thousands, must not make its own search impossible.
    offered[torch.arange(len(wanted)), wanted] = True
    return visits, Searches(visits.user[searched], _whole(np.array(wanted, dtype=np.int64)), offered)


def _searchable() -> npt.NDArray[np.bool_]:
    """Return (C, properties) True where a visit for the category may search for the property."""
    names = [{*ware.occasions, *ware.functions} for ware in WARES]
    return np.array([[name in found for name in TEXT_PROPERTIES] for found in names])


def _usual_shares(truth: Truth, events: pl.DataFrame) -> Values:
    """Return (weeks, N) the share of each product in what all users were shown of its category, week by week."""
    shown = events.filter(pl.col(c.EVENT) == EventType.IMPRESSION.value)
    weeks = (truth.days(shown[c.TIMESTAMP].dt.epoch("s").to_list()) // _WEEK).astype(np.int64)
    size, category = len(truth.products), truth.utility.products.category
    cells = weeks * size + truth.products.rows(shown[c.ITEM_ID].to_list())
    height = int(weeks.max(initial=0)) + 1
    counts = np.bincount(cells, minlength=height * size).reshape(height, size) + _FEWEST
    sums = np.stack([counts[:, category == code].sum(axis=1) for code in range(len(WARES))], axis=1)
    return np.asarray(counts / sums[:, category], dtype=np.float64)


def _slots(truth: Truth, shown: Impressions, visits: Visits, visit: IntArray, usual: Values) -> Slots:
    products, intent = truth.utility.products, visits.intent.numpy()
    shelves = [np.flatnonzero(products.category == code) for code in range(len(WARES))]
    columns = np.full((len(WARES), max(map(len, shelves))), -1, dtype=np.int64)
    places = np.zeros(len(products), dtype=np.int64)
    for code, shelf in enumerate(shelves):
        columns[code, : len(shelf)], places[shelf] = shelf, np.arange(len(shelf))
    here = np.maximum(columns[intent], 0)
    age_days = visits.day.numpy()[:, None] - products.created_day[here]
    arrival = ARRIVAL_BONUS * np.exp(-np.abs(age_days) / ARRIVAL_DAYS)
    # A day of grace: what was shown was there, also where rounding says otherwise.
    there = (columns[intent] >= 0) & (age_days > -1)
    item = shown.item.numpy()
    inside = np.flatnonzero(products.category[item] == intent[visit])
    inside = inside[np.argsort(visit[inside], kind="stable")]
    known = (
        _first_weeks(shown, len(products))[visits.user.numpy()[:, None], here] < visits.day.numpy()[:, None] // _WEEK
    )
    weeks = (shown.day.numpy()[inside] // _WEEK).astype(np.int64)
    return Slots(
        columns=_whole(here),
        arrival=_real(np.where(there, arrival, -np.inf)),
        known=torch.tensor(known),
        visit=_whole(visit[inside]),
        place=_whole(places[item[inside]]),
        first=_whole(np.searchsorted(visit[inside], visit[inside])),
        usual=_real(usual[weeks, item[inside]]),
    )


def _first_weeks(shown: Impressions, products: int) -> Values:
    """Return (U, N) the week of the first click of each user on each product; inf = never."""
    clicked = shown.clicked
    weeks = np.full((int(shown.user.max()) + 1 if len(shown.user) else 0, products), np.inf)
    cells = (shown.user[clicked].numpy(), shown.item[clicked].numpy())
    np.minimum.at(weeks, cells, shown.day[clicked].numpy() // _WEEK)
    return weeks


def _devices(events: pl.DataFrame) -> IntArray:
    return np.array([DEVICES.index(name) for name in events[c.DEVICE].to_list()], dtype=np.int64)


def _whole(values: npt.NDArray[np.generic]) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)


def _real(values: npt.NDArray[np.generic]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
