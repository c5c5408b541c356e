"""The shoppers' latents: what they look for, what they like, how they shop. Arrays of U shoppers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.products import TEXT_PROPERTIES, Products
from trifocal.data.shop.style import FAMILIES, family_tastes
from trifocal.data.shop.wares import LIFESTYLES, WARES
from trifocal.types import FloatArray, IntArray

__all__ = ["COUNTRIES", "DEVICES", "Shoppers", "sample_shoppers"]

DEVICES = ("mobile", "desktop", "tablet")
COUNTRIES = ("DE", "FR", "GB", "SE", "US")
_DEVICE_SHARES = (0.58, 0.32, 0.10)
_COUNTRY_SHARES = (0.30, 0.20, 0.22, 0.10, 0.18)
_SHARE_FROM_START = 0.6
_MOST_SESSIONS = 70


@dataclass(frozen=True)
class Shoppers:
    """U shoppers, as columns.

    Attributes:
        affinity_start: (U, categories) interest on the first day, in units of utility.
        affinity_end: (U, categories) interest on the last day; in between it moves evenly.
        visual_taste: (U, visual attributes) liking, scaled so that the match has standard deviation 1
            over the catalogue.
        text_taste: (U, text properties) liking, scaled likewise.
        price_ideal: (U,) the price level that suits best, in standard deviations within a category.
        price_sensitivity: (U,) how much a distance from it hurts, about 1.
        device: (U,) usual device, position in `DEVICES`.
        country: (U,) position in `COUNTRIES`.
        hour: (U,) usual hour of day, UTC, 0 to 24.
        join_day: (U,) first day on which the shopper may come.
        sessions: (U,) sessions in all.
    """

    affinity_start: FloatArray
    affinity_end: FloatArray
    visual_taste: FloatArray
    text_taste: FloatArray
    price_ideal: FloatArray
    price_sensitivity: FloatArray
    device: IntArray
    country: IntArray
    hour: FloatArray
    join_day: IntArray
    sessions: IntArray

    def __len__(self) -> int:
        return len(self.country)


def sample_shoppers(config: ShopConfig, products: Products, rng: np.random.Generator) -> Shoppers:
    """Return random shoppers of the catalogue `products`."""
    size = config.shoppers
    country = rng.choice(len(COUNTRIES), size=size, p=_COUNTRY_SHARES).astype(np.int64)
    start, end = _affinities(country, rng)
    join_day, sessions = _activity(config, rng)
    # Commuters in the morning, most people in the evening.
    hour = np.where(rng.random(size) < 0.25, rng.normal(8.0, 1.5, size), rng.normal(19.0, 3.0, size)) % 24
    return Shoppers(
        affinity_start=start,
        affinity_end=end,
        visual_taste=_scaled(_visual_tastes(size, rng), products.visual),
        text_taste=_scaled(_text_tastes(size, rng), products.text),
        price_ideal=(rng.normal(-0.2, 0.8, size) + rng.normal(0, 0.25, len(COUNTRIES))[country]).astype(np.float32),
        price_sensitivity=rng.lognormal(0.0, 0.4, size).astype(np.float32),
        device=rng.choice(len(DEVICES), size=size, p=_DEVICE_SHARES).astype(np.int64),
        country=country,
        hour=hour.astype(np.float32),
        join_day=join_day,
        sessions=sessions,
    )


def _affinities(country: IntArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    size, n_categories = len(country), len(WARES)
    start = rng.normal(-1.6, 0.5, (size, n_categories)) + rng.normal(0, 0.25, (len(COUNTRIES), n_categories))[country]
    ranks = rng.random((size, n_categories)).argsort(axis=1).argsort(axis=1)
    favourites = ranks < rng.integers(3, 6, (size, 1))
    start = start + favourites * rng.normal(4.4, 0.6, (size, n_categories))
    end = start + rng.normal(0, 0.4, (size, n_categories))
    # A third of the shoppers trades one favourite for another in the course of the time.
    trades = rng.random((size, 1)) < 0.33
    end = end + trades * (2.0 * (ranks == 5) - 2.0 * (ranks == 0))
    return start.astype(np.float32), end.astype(np.float32)


def _visual_tastes(size: int, rng: np.random.Generator) -> FloatArray:
    # A small Dirichlet parameter: most shoppers follow one family, some two.
    mixture = rng.dirichlet(np.full(len(FAMILIES), 0.25), size)
    taste = mixture @ family_tastes()
    return np.asarray(taste + rng.normal(0, 0.25, taste.shape), dtype=np.float32)


def _text_tastes(size: int, rng: np.random.Generator) -> FloatArray:
    liked = np.array([[name in likes for name in TEXT_PROPERTIES] for likes in LIFESTYLES.values()])
    mixture = rng.dirichlet(np.full(len(LIFESTYLES), 0.25), size)
    taste = mixture @ liked + rng.normal(0, 0.06, (size, len(TEXT_PROPERTIES)))
    return np.asarray(taste, dtype=np.float32)


def _scaled(taste: FloatArray, items: FloatArray) -> FloatArray:
    """Return `taste` (U, D) scaled so that `taste @ items.T` has standard deviation 1 in each row."""
    covariance = items.T @ items / len(items)
    deviation = np.sqrt(np.einsum("ud,de,ue->u", taste, covariance, taste))
    return np.asarray(taste / np.maximum(deviation, 1e-6)[:, None], dtype=np.float32)


def _activity(config: ShopConfig, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    size, days = config.shoppers, config.days
    joins_later = rng.random(size) >= _SHARE_FROM_START
    join_day = np.where(joins_later, rng.integers(0, max(int(days * 0.92), 1), size), 0)
    spread = 0.95
    wanted = rng.lognormal(np.log(config.sessions_mean) - spread**2 / 2, spread, size) * (1 - join_day / days) ** 0.5
    sessions = np.clip(np.round(wanted), 1, np.minimum(_MOST_SESSIONS, days - join_day))
    return join_day.astype(np.int64), sessions.astype(np.int64)
