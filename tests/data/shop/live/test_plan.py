from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tests.data.shop.live.small_server import small_world

from trifocal.data.shop.live import plan_live
from trifocal.errors import ConfigError

WORLD = small_world()


def test_everybody_comes_as_often_as_asked_in_the_order_of_time() -> None:
    plan = plan_live(WORLD, shoppers=10, visits_per_shopper=3, seed=1, shoppers_per_day=5)
    assert len(plan) == 30
    assert np.bincount(plan.shopper_number).tolist() == [3] * 10
    assert (np.diff(plan.visits.day) >= 0).all()
    for number in range(10):
        own = np.flatnonzero(plan.shopper_number == number)
        assert plan.visit_number[own].tolist() == [0, 1, 2]
        assert len(set(plan.visits.shopper[own])) == 1
        # At most once a day; the first five arrive the day after the shop's last, the others a day later.
        days = np.floor(plan.visits.day[own])
        assert days[0] == WORLD.utility.days + number // 5
        assert (np.diff(days) >= 1).all()
    assert len(set(plan.visits.shopper)) == 10


def test_equal_seeds_give_equal_plans_and_visits_their_own_chance() -> None:
    plan, again = (plan_live(WORLD, shoppers=5, seed=3) for _ in range(2))
    assert plan.visits.shopper.tolist() == again.visits.shopper.tolist()
    assert plan.generator(4).random() == again.generator(4).random()
    assert plan.generator(4).random() != plan.generator(5).random()
    other = plan_live(WORLD, shoppers=5, seed=4)
    assert plan.visits.day.tolist() != other.visits.day.tolist()


def test_the_first_day_can_be_named() -> None:
    plan = plan_live(WORLD, shoppers=3, visits_per_shopper=1, start=date(2026, 3, 1))
    assert {WORLD.moment(day).date() for day in plan.visits.day} == {date(2026, 3, 1)}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="21 shoppers cannot come, the shop has 20; ask for 1 to 20"):
        plan_live(WORLD, shoppers=21)
    with pytest.raises(ConfigError, match="0 visits of a shopper are out of bounds; ask for 1 to 100"):
        plan_live(WORLD, shoppers=2, visits_per_shopper=0)
    with pytest.raises(ConfigError, match="0 shoppers a day are too few"):
        plan_live(WORLD, shoppers=2, shoppers_per_day=0)
    with pytest.raises(ConfigError, match="start 2025-12-31 is before the shop's first day 2026-01-05"):
        plan_live(WORLD, shoppers=2, start=date(2025, 12, 31))
