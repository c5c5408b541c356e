"""Part `peeking`, run small: tests are played, and a difference that everybody sees is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from benchmarks.feedback.peeking import GOALS, measure, peeked
from benchmarks.feedback.plan import QUICK, Setting
from benchmarks.feedback.shop_world import make_world


def test_the_quick_size_measures_every_goal(tmp_path: Path) -> None:
    found = measure(Setting(tmp_path, QUICK))
    assert {goal.name for goal in GOALS} <= set(found.values)
    assert all(0 <= found.values[name] <= 1 for name, unit in found.units.items() if unit == "of tests")
    assert found.values["A/B, true lift of the CTR"] > 0
    assert measure(Setting(tmp_path, QUICK)) == found


def test_a_bad_page_is_stopped_by_the_ctr_and_by_a_rail() -> None:
    world = make_world(60, 200, 3)
    good, bad = np.full((200, 10), 8.0), np.full((200, 10), 0.0)
    found = peeked(world, (good, bad), 400, (1, 2))
    assert found.primary is not None
    assert found.rails is not None
    assert found.fixed is not None
    assert found.whole == min(found.primary, found.rails)
    assert found.ratio is None


def test_equal_pages_are_let_be() -> None:
    world = make_world(60, 200, 3)
    page = np.full((200, 10), 5.0)
    assert peeked(world, (page, page), 300, (1, 3)).whole is None
