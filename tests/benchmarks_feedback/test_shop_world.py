"""The shop in memory: the click model is the shop's own, pages end where they end, less noise shows better things."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.feedback.shop_world import make_world

from trifocal.data.shop.behaviour import react

WORLD = make_world(80, 300, 3)


def test_chances_are_those_of_the_shop() -> None:
    rng = np.random.default_rng(1)
    utilities = np.full(40_000, 5.5)
    place, device = np.full(40_000, 2), np.full(40_000, int(WORLD.devices[0]))
    clicked = react(utilities, place, device, WORLD.utility.weights.click_threshold, rng).clicked
    expected = WORLD.wish(utilities[:1])[0] * WORLD.looked_at(2)[0, 1]
    assert clicked.mean() == pytest.approx(expected, abs=0.01)


def test_a_page_ends_where_the_device_says() -> None:
    assert ((WORLD.looked_at(10) > 0).sum(axis=1) == WORLD.page_sizes).all()


def test_less_noise_shows_what_is_liked_more() -> None:
    rng = np.random.default_rng(2)
    exact, rough = (WORLD.utilities(WORLD.best_under_noise(noise, 5, rng)) for noise in (0.0, 4.0))
    assert exact.mean() > rough.mean() + 1
    assert (np.diff(exact, axis=1) <= 1e-5).all()
