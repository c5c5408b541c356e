"""The catalogue's latents."""

from __future__ import annotations

import numpy as np
import pytest

from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.products import TEXT_PROPERTIES, Products, sample_products
from trifocal.data.shop.style import COLOURS, FAMILIES, family_tastes
from trifocal.data.shop.wares import LIFESTYLES


@pytest.fixture(scope="module")
def products() -> Products:
    return sample_products(ShopConfig(products=1200), np.random.default_rng(1))


def test_categories_are_of_equal_size(products: Products) -> None:
    assert np.bincount(products.category).tolist() == [100] * 12


def test_a_family_shows_in_the_colours(products: Products) -> None:
    romantic = products.style.family == list(FAMILIES).index("romantic")
    pink = products.style.colour == COLOURS.index("pink")
    assert pink[romantic].mean() > 0.35
    assert pink[~romantic].mean() < 0.05


def test_style_is_independent_of_category_and_text(products: Products) -> None:
    visual, text = products.visual, products.text
    correlation = np.corrcoef(np.concatenate([visual, text], axis=1).T)[: visual.shape[1], visual.shape[1] :]
    # 1,200 independent draws: 5 standard errors of a correlation are 5 / sqrt(1200) = 0.144.
    assert np.nanmax(np.abs(correlation)) < 0.144


def test_price_level_is_standard_within_a_category_and_follows_quality(products: Products) -> None:
    dresses = products.category == 0
    assert products.price_level[dresses].mean() == pytest.approx(0, abs=1e-5)
    assert products.price_level[dresses].std() == pytest.approx(1, abs=1e-5)
    assert 0.25 < np.corrcoef(products.price_level, products.quality)[0, 1] < 0.75
    assert products.price.min() >= 4.95


def test_a_bit_more_than_half_is_there_at_the_start(products: Products) -> None:
    assert 0.5 < (products.created_day < 0).mean() < 0.6
    assert products.created_day.max() < 182


def test_a_follower_of_a_family_likes_its_colours() -> None:
    tastes = family_tastes()
    assert COLOURS[int(tastes[list(FAMILIES).index("romantic"), : len(COLOURS)].argmax())] == "pink"
    np.testing.assert_allclose(tastes[:, : len(COLOURS)].sum(axis=1), 0, atol=1e-5)


def test_every_property_belongs_to_exactly_one_lifestyle() -> None:
    liked = [name for likes in LIFESTYLES.values() for name in likes]
    assert sorted(liked) == sorted(TEXT_PROPERTIES)
