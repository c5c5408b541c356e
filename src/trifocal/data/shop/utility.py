"""The known utility that drives the sample shop.

For shopper u, product i of category c and day t (out of T days):

    utility(u, i, t) =  affinity(u, c, t)                                   category, drifting with time
                      + season(c, t)                                        season
                      + visual_signal * W_VISUAL * visual_taste(u) . visual(i)
                      + W_TEXT    * text_taste(u) . text(i)
                      - W_PRICE   * price_sensitivity(u) * |price_level(i) - price_ideal(u)|
                      + W_QUALITY * quality(i)

    affinity(u, c, t) = (1 - t/T) * affinity_start(u, c) + t/T * affinity_end(u, c)
    season(c, t)      = strength(c) * cos(2 pi (day of year(t) - peak_day(c)) / 365)

Tastes are scaled so that both matches have standard deviation 1 over the catalogue: with `visual_signal` 1 the visible
style is the strongest personal term within a category, 1.5 times as strong as the text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.products import Products
from trifocal.data.shop.shoppers import Shoppers
from trifocal.data.shop.wares import WARES
from trifocal.types import IntArray

__all__ = ["Utility", "Weights"]

_YEAR_DAYS = 365.0


@dataclass(frozen=True)
class Weights:
    """The weights of the formula; `visual` already holds `visual_signal`."""

    visual: float
    text: float = 1.2
    price: float = 0.5
    quality: float = 1.0

    @classmethod
    def of_signal(cls, visual_signal: float) -> Weights:
        """Return the weights under `visual_signal`.

        >>> Weights.of_signal(0.5).visual
        0.9
        """
        return cls(visual=1.8 * visual_signal)

    @property
    def click_threshold(self) -> float:
        """The utility at which a shopper who looks clicks every other time.

        It grows with the spread of utilities within a category, so that the click rate stays near one in nine
        whatever `visual` is.
        """
        return 2.2 + 1.65 * math.hypot(self.visual, self.text, self.price, self.quality)


@dataclass(frozen=True)
class Utility:
    """Utilities of shoppers (rows) for products (columns) at given days.

    Attributes:
        products: N products.
        shoppers: U shoppers.
        weights: of the terms.
        days: T, the length of the simulated time.
        first_day_of_year: day of the year of t = 0.
    """

    products: Products
    shoppers: Shoppers
    weights: Weights
    days: int
    first_day_of_year: int

    def categories(self, rows: IntArray, days: Numbers) -> Numbers:
        """Return (R, categories) affinity and season of the shoppers `rows` (R,) at `days` (R,)."""
        share = (days / self.days)[:, None]
        affinity = (1 - share) * self.shoppers.affinity_start[rows] + share * self.shoppers.affinity_end[rows]
        peaks = np.array([ware.peak_day for ware in WARES])
        strengths = np.array([ware.season for ware in WARES])
        phase = 2 * np.pi * (self.first_day_of_year + days[:, None] - peaks) / _YEAR_DAYS
        return np.asarray(affinity + strengths * np.cos(phase), dtype=np.float32)

    def block(self, rows: IntArray, days: Numbers, columns: IntArray) -> Numbers:
        """Return (R, K) utilities of each shopper of `rows` (R,) at `days` (R,) for each product of `columns` (K,)."""
        shoppers, products, weights = self.shoppers, self.products, self.weights
        distance = np.abs(products.price_level[columns] - shoppers.price_ideal[rows][:, None])
        return np.asarray(
            self.categories(rows, days)[:, products.category[columns]]
            + weights.visual * (shoppers.visual_taste[rows] @ products.visual[columns].T)
            + weights.text * (shoppers.text_taste[rows] @ products.text[columns].T)
            - weights.price * shoppers.price_sensitivity[rows][:, None] * distance
            + weights.quality * products.quality[columns],
            dtype=np.float32,
        )

    def pairs(self, rows: IntArray, days: Numbers, columns: IntArray) -> Numbers:
        """Return (P,) utilities of shopper `rows[p]` at `days[p]` for product `columns[p]`: `block`, pair by pair."""
        shoppers, products, weights = self.shoppers, self.products, self.weights
        distance = np.abs(products.price_level[columns] - shoppers.price_ideal[rows])
        category = np.take_along_axis(self.categories(rows, days), products.category[columns][:, None], axis=1)[:, 0]
        return np.asarray(
            category
            + weights.visual * np.einsum("pd,pd->p", shoppers.visual_taste[rows], products.visual[columns])
            + weights.text * np.einsum("pd,pd->p", shoppers.text_taste[rows], products.text[columns])
            - weights.price * shoppers.price_sensitivity[rows] * distance
            + weights.quality * products.quality[columns],
            dtype=np.float32,
        )
