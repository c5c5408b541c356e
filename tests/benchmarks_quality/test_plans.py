from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.quality.main import PLANS, Plan

from trifocal.data.named_splits import SPLIT_NAMES
from trifocal.evaluate.contestants import contestants_named, every_name
from trifocal.settings import load_settings
from trifocal.train.pipeline import VARIANTS

ROOT = Path(__file__).parents[2]


def test_every_split_has_a_plan_and_every_plan_a_split() -> None:
    planned = [split for plan in PLANS.values() for split in plan.splits]
    assert sorted(planned) == sorted(SPLIT_NAMES)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_plan_names_what_exists(plan: Plan) -> None:
    load_settings(ROOT / plan.config)
    assert set(plan.models.split(",")) <= set(VARIANTS)
    assert plan.models.startswith("trifocal")
    names = every_name() if plan.baselines == "all" else plan.baselines.split(",")
    assert contestants_named(names)
    assert len(plan.seeds) >= 3 or plan.trials == 0
