"""The sample shop's shoppers and their click model, in memory and vectorised: no server, no pictures, no texts.

Letters: S visits, one a shopper; K candidates of a visit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.behaviour import CLICK_SHARPNESS, examination, satisfaction
from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.products import sample_products
from trifocal.data.shop.shoppers import sample_shoppers
from trifocal.data.shop.utility import Utility, Weights
from trifocal.data.shop.visits import PAGE_SIZES
from trifocal.feedback.experiments.estimates import Numbers
from trifocal.types import IntArray

__all__ = ["World", "make_world"]

# Rows of utilities that are in memory at once: 500 x 1,500 products are 3 MB.
_BLOCK = 500


@dataclass(frozen=True)
class World:
    """A shop and the moment at which each shopper comes; no policy may read the true `utility` whole."""

    utility: Utility
    days: Numbers

    def __len__(self) -> int:
        return len(self.days)

    @property
    def devices(self) -> IntArray:
        """(S,) position in `DEVICES` of each visit."""
        return self.utility.shoppers.device

    @property
    def page_sizes(self) -> IntArray:
        """(S,) places on the first page of each visit."""
        return PAGE_SIZES[self.devices]

    def utilities(self, items: IntArray) -> Numbers:
        """Return (S, K) true utilities of `items` (S, K) for the shopper of each row."""
        visit = np.repeat(np.arange(len(self)), items.shape[1])
        found = self.utility.pairs(visit, self.days[visit], items.reshape(-1))
        return np.asarray(found, dtype=np.float64).reshape(items.shape)

    def wish(self, utilities: Numbers) -> Numbers:
        """Return the chance of a click on what is looked at."""
        return np.asarray(1 / (1 + np.exp(CLICK_SHARPNESS * (self.utility.weights.click_threshold - utilities))))

    def content(self, utilities: Numbers) -> Numbers:
        """Return how content a shopper is with what was clicked, in [0, 1]."""
        return np.asarray(satisfaction(utilities, self.utility.weights.click_threshold), dtype=np.float64)

    def looked_at(self, places: int) -> Numbers:
        """Return (S, places) chance that each place of the first page is looked at; 0 past the end of the page."""
        place = np.broadcast_to(np.arange(1, places + 1), (len(self), places))
        seen = examination(place, self.devices[:, None])
        return np.where(place <= self.page_sizes[:, None], seen, 0.0)

    def best_under_noise(self, noise: float, places: int, rng: np.random.Generator) -> IntArray:
        """Return (S, places) products: the best by utilities that are off by normal errors of deviation `noise`."""
        columns = np.arange(len(self.utility.products), dtype=np.int64)
        parts = []
        for start in range(0, len(self), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(self)), dtype=np.int64)
            scores = self.utility.block(rows, self.days[rows], columns)
            scores = scores + noise * rng.standard_normal(scores.shape, dtype=np.float32)
            best = np.argpartition(-scores, places, axis=1)[:, :places]
            order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
            parts.append(np.take_along_axis(best, order, axis=1))
        return np.concatenate(parts).astype(np.int64)


def make_world(products: int, shoppers: int, seed: int) -> World:
    """Return the shop of these sizes; each shopper comes once, on a day of the second half."""
    config = ShopConfig(products=products, shoppers=shoppers, seed=seed)
    made = sample_products(config, np.random.default_rng([seed, 0]))
    utility = Utility(
        products=made,
        shoppers=sample_shoppers(config, made, np.random.default_rng([seed, 1])),
        weights=Weights.of_signal(config.visual_signal),
        days=config.days,
        first_day_of_year=config.start.timetuple().tm_yday,
    )
    days = np.random.default_rng([seed, 2]).uniform(config.days / 2, config.days, shoppers)
    return World(utility, days)
