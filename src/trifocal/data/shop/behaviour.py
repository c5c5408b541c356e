"""What visitors do with what they see: clicks, carts, purchases, dwell, and when. Plays the time week by week.

A click needs a look and a wish:  P(click) = examination(position, device) * sigmoid(SHARPNESS * (utility - threshold)).
Satisfaction with a clicked product is sigmoid(utility - threshold); that of a session is the mean over its clicked
products, 0 where nothing was clicked. Dwell follows satisfaction, with log-normal noise.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from trifocal.data.shop.exposure import Shelf, fill_slots
from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.utility import Utility
from trifocal.data.shop.visits import PAGE_SIZES, Visits
from trifocal.progress import progress_bar
from trifocal.types import BoolArray, IntArray

__all__ = [
    "CART_AT",
    "CLICK_SHARPNESS",
    "PURCHASE_AT",
    "Behaviour",
    "Reactions",
    "clock",
    "examination",
    "play",
    "react",
    "satisfaction",
]

CLICK_SHARPNESS = 1.6
# The share of its dwell after which a product goes into the cart, and after which it is paid for.
CART_AT, PURCHASE_AT = 0.6, 0.95
_WEEK = 7
# Popularity forgets: clicks of the week before count this much less each week.
_POPULARITY_DECAY = 0.75
_POPULARITY_PRIOR = 2.0
_POSITION_POWER = np.array([0.65, 0.35, 0.45])
_DWELL_BASE_S = np.array([9.0, 16.0, 13.0])
_DWELL_NOISE = 0.5


@dataclass(frozen=True)
class Behaviour:
    """P impressions and what came of them, ordered by visit, then by time.

    Attributes:
        visit: (P,) row in the visits.
        item: (P,) row of the product.
        position: (P,) place on the page, 1 = first.
        utility: (P,) of the product for the shopper at the start of the visit.
        clicked: (P,) True where it was clicked.
        carted: (P,) True where it was put into the cart; only clicked ones.
        bought: (P,) True where it was bought; only carted ones.
        shown_s: (P,) seconds from the start of the visit to the impression.
        click_s: (P,) likewise to the click.
        dwell_s: (P,) seconds on the product page; 0 without a click.
    """

    visit: IntArray
    item: IntArray
    position: IntArray
    utility: Numbers
    clicked: BoolArray
    carted: BoolArray
    bought: BoolArray
    shown_s: Numbers
    click_s: Numbers
    dwell_s: Numbers

    def __len__(self) -> int:
        return len(self.visit)


@dataclass(frozen=True)
class Reactions:
    """What came of P impressions; the columns are as those of `Behaviour`."""

    clicked: BoolArray
    carted: BoolArray
    bought: BoolArray
    dwell_s: Numbers


def examination(position: IntArray, device: IntArray) -> Numbers:
    """Return the chance that place `position` of a page is looked at: 1 for the first, falling faster on a phone."""
    return np.asarray(position.astype(np.float64) ** -_POSITION_POWER[device])


def satisfaction(utility: Numbers, threshold: float) -> Numbers:
    """Return how content a shopper is with a clicked product, in [0, 1].

    >>> satisfaction(np.array([5.0]), threshold=5.0).tolist()
    [0.5]
    """
    return np.asarray(1 / (1 + np.exp(threshold - utility)), dtype=np.float32)


def play(utility: Utility, visits: Visits, rng: np.random.Generator) -> Behaviour:
    """Return everything that happens in `visits`; what the shop shows depends on the clicks of the weeks before."""
    products = utility.products
    clicks = np.zeros(len(products))
    clicked = np.zeros((len(utility.shoppers), len(products)), dtype=bool)
    weeks = [np.flatnonzero(visits.day // _WEEK == week) for week in range(-(-utility.days // _WEEK))]
    parts: list[Behaviour] = []
    with progress_bar("Playing the weeks", len(weeks)) as bar:
        for rows in weeks:
            here = Visits(**{f.name: getattr(visits, f.name)[rows] for f in fields(Visits)})
            shelf = Shelf(clicks + _POPULARITY_PRIOR * np.exp(0.5 * products.quality), clicked)
            part = _play_week(utility, here, shelf, rng)
            hit = part.item[part.clicked]
            clicks = _POPULARITY_DECAY * clicks + np.bincount(hit, minlength=len(products))
            clicked[here.shopper[part.visit[part.clicked]], hit] = True
            parts.append(_moved(part, rows))
            bar.advance()
    return Behaviour(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Behaviour)})


def _moved(part: Behaviour, rows: IntArray) -> Behaviour:
    columns = {f.name: getattr(part, f.name) for f in fields(Behaviour)}
    return Behaviour(**{**columns, "visit": rows[part.visit]})


def _play_week(utility: Utility, visits: Visits, shelf: Shelf, rng: np.random.Generator) -> Behaviour:
    shown = fill_slots(utility, visits, shelf, rng)
    visit, slot = np.nonzero(shown >= 0)
    item, device = shown[visit, slot], visits.device[visit]
    # Empty slots close up, so that positions have no holes.
    place = np.arange(len(visit)) - np.searchsorted(visit, visit)
    position = place % PAGE_SIZES[device] + 1
    value = utility.pairs(visits.shopper[visit], visits.day[visit], item)
    done = react(value, position, device, utility.weights.click_threshold, rng)
    shown_s, click_s = clock(visit, position, done.dwell_s, rng)
    return Behaviour(
        visit, item, position, value, done.clicked, done.carted, done.bought, shown_s, click_s, done.dwell_s
    )


def react(
    utility: Numbers, position: IntArray, device: IntArray, threshold: float, rng: np.random.Generator
) -> Reactions:
    """Return what shoppers do with P impressions.

    Args:
        utility: (P,) of each product for whoever sees it.
        position: (P,) place on the page, 1 = first.
        device: (P,) position in `DEVICES`.
        threshold: `Weights.click_threshold` of the shop.
        rng: where chance comes from.
    """
    size = len(utility)
    wish = 1 / (1 + np.exp(CLICK_SHARPNESS * (threshold - utility)))
    clicked = rng.random(size) < examination(position, device) * wish
    content = satisfaction(utility, threshold)
    carted = clicked & (rng.random(size) < 0.5 * content**2)
    bought = carted & (rng.random(size) < 0.7 * content**2)
    dwell = _DWELL_BASE_S[device] * np.exp(2.2 * (content - 0.5) + rng.normal(0, _DWELL_NOISE, size))
    return Reactions(clicked, carted, bought, np.where(clicked, dwell + 2.0 * carted, 0.0))


def clock(visit: IntArray, position: IntArray, dwell: Numbers, rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Return seconds of impressions and clicks: a glance each, a pause per page, and the dwell of what was clicked."""
    glance = rng.uniform(0.6, 2.4, len(visit))
    pause = np.where(position == 1, rng.uniform(2.0, 6.0, len(visit)), 0.0)
    total = np.cumsum(glance + pause + dwell)
    before = total - glance - dwell
    first = np.searchsorted(visit, visit)
    shown = before - (before[first] - pause[first]) if len(visit) else before
    return shown, shown + glance
