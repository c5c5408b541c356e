"""Part `off_policy`, run small: policies are chances, the truth is an expectation, estimates are near it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.feedback.off_policy import GOALS, POLICIES, draw_log, make_slots, measure
from benchmarks.feedback.plan import QUICK, Setting
from benchmarks.feedback.shop_world import make_world

from trifocal.feedback.experiments.off_policy import estimate


def test_the_quick_size_measures_every_goal(tmp_path: Path) -> None:
    found = measure(Setting(tmp_path, QUICK))
    assert {goal.name for goal in GOALS} <= set(found.values)
    assert all(value >= 0 for value in found.values.values())
    assert measure(Setting(tmp_path, QUICK)).values == found.values


def test_policies_are_chances_and_a_long_log_finds_their_truth() -> None:
    slots = make_slots(make_world(60, 200, 3), np.random.default_rng(4))
    for chances in (slots.logging, *slots.targets.values()):
        assert chances.min() > 0
        assert chances.sum(axis=1) == pytest.approx(np.ones(200))
    for policy in POLICIES:
        found = estimate(draw_log(slots, 20_000, policy, np.random.default_rng(5)))
        assert found.value == pytest.approx(slots.truth(policy), abs=0.015)
        assert found.warning == ""
