"""The catalogue's latents: what each product is, looks like and is good for. No text, no picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.style import Style, sample_styles, visual_vectors
from trifocal.data.shop.wares import BRANDS, FUNCTIONS, OCCASIONS, WARES
from trifocal.types import BoolArray, FloatArray, IntArray

__all__ = ["TEXT_PROPERTIES", "Products", "sample_products"]

# The axes of the text vectors, in order.
TEXT_PROPERTIES = (*OCCASIONS, *FUNCTIONS, *BRANDS)
# Share of the catalogue that is there on the first day; the rest arrives evenly over the whole time.
_SHARE_AT_START = 0.55
_SHARE_WITH_OCCASION = 0.85


@dataclass(frozen=True)
class Products:
    """N products, as columns.

    Attributes:
        category: (N,) position in `WARES`.
        style: visible style.
        visual: (N, visual attributes) centred one-hot codes of the style.
        occasion: (N,) position in `OCCASIONS`, -1 = none.
        functions: (N, functions) True where the product has the function; one or two each.
        brand: (N,) position in `BRANDS`.
        text: (N, properties) centred codes of occasion, functions and brand, see `TEXT_PROPERTIES`.
        price: (N,) euro.
        price_level: (N,) log price, standardised within the category.
        quality: (N,) standard normal; seen by everyone, named nowhere.
        created_day: (N,) days since the start; negative = was there before.
    """

    category: IntArray
    style: Style
    visual: FloatArray
    occasion: IntArray
    functions: BoolArray
    brand: IntArray
    text: FloatArray
    price: FloatArray
    price_level: FloatArray
    quality: FloatArray
    created_day: FloatArray

    def __len__(self) -> int:
        return len(self.category)


def sample_products(config: ShopConfig, rng: np.random.Generator) -> Products:
    """Return a random catalogue; categories are of nearly equal size, everything else is independent of the style."""
    size = config.products
    category = rng.permutation(np.arange(size) % len(WARES)).astype(np.int64)
    style = sample_styles(size, rng)
    occasion, functions = _sample_properties(category, rng)
    brand = rng.choice(len(BRANDS), size=size, p=_brand_shares()).astype(np.int64)
    quality = rng.standard_normal(size).astype(np.float32)
    price, price_level = _prices(category, brand, quality, rng)
    return Products(
        category=category,
        style=style,
        visual=visual_vectors(style),
        occasion=occasion,
        functions=functions,
        brand=brand,
        text=_text_vectors(occasion, functions, brand),
        price=price,
        price_level=price_level,
        quality=quality,
        created_day=_created_days(size, config.days, rng),
    )


def _brand_shares() -> FloatArray:
    shares = 1.0 / np.arange(2, len(BRANDS) + 2) ** 0.5
    return np.asarray(shares / shares.sum())


def _sample_properties(category: IntArray, rng: np.random.Generator) -> tuple[IntArray, BoolArray]:
    occasions, functions = list(OCCASIONS), list(FUNCTIONS)
    occasion = np.full(len(category), -1, dtype=np.int64)
    has = np.zeros((len(category), len(functions)), dtype=bool)
    for row, code in enumerate(category):
        ware = WARES[code]
        if rng.random() < _SHARE_WITH_OCCASION:
            occasion[row] = occasions.index(ware.occasions[rng.integers(len(ware.occasions))])
        for name in rng.choice(ware.functions, size=rng.integers(1, 3), replace=False):
            has[row, functions.index(name)] = True
    return occasion, has


def _text_vectors(occasion: IntArray, functions: BoolArray, brand: IntArray) -> FloatArray:
    # The extra last row is "no occasion".
    occasion_codes = np.vstack([np.eye(len(OCCASIONS)), np.zeros(len(OCCASIONS))])[occasion]
    codes = np.concatenate([occasion_codes, functions, np.eye(len(BRANDS))[brand]], axis=1).astype(np.float32)
    return np.asarray(codes - codes.mean(axis=0))


def _prices(
    category: IntArray, brand: IntArray, quality: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    brand_level = rng.normal(0, 0.3, len(BRANDS))
    level = np.log([ware.price for ware in WARES])[category] + brand_level[brand] + 0.2 * quality
    level = level + rng.normal(0, 0.25, len(category))
    price = np.maximum(np.round(np.exp(level)) - 0.05, 4.95)
    standard = np.zeros(len(category))
    for code in range(len(WARES)):
        inside = category == code
        standard[inside] = (level[inside] - level[inside].mean()) / level[inside].std()
    return price.astype(np.float32), standard.astype(np.float32)


def _created_days(size: int, days: int, rng: np.random.Generator) -> FloatArray:
    at_start = rng.random(size) < _SHARE_AT_START
    return np.where(at_start, -rng.uniform(1, 200, size), rng.uniform(0, days, size)).astype(np.float32)
