from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.quality.ablation import PLANS as ABLATION_PLANS
from benchmarks.quality.ablation_changes import read_changes
from benchmarks.quality.cold_items import PLANS as COLD_PLANS
from benchmarks.quality.cold_items import ColdPlan
from benchmarks.quality.main import PLANS, Plan

from trifocal.data.named_splits import COLD_SPLITS, SPLIT_NAMES
from trifocal.evaluate.contestants import contestants_named, every_name
from trifocal.settings import load_settings
from trifocal.train.pipeline import VARIANTS

ROOT = Path(__file__).parents[2]


def test_every_split_has_a_plan_and_every_plan_a_split() -> None:
    planned = [split for plan in PLANS.values() for split in plan.splits]
    assert sorted([*planned, *COLD_PLANS]) == sorted(SPLIT_NAMES)
    assert set(COLD_PLANS) == set(COLD_SPLITS)
    assert set(ABLATION_PLANS) <= set(PLANS)


@pytest.mark.parametrize("plan", COLD_PLANS.values(), ids=COLD_PLANS)
def test_the_plan_of_a_curve_names_what_exists(plan: ColdPlan) -> None:
    load_settings(ROOT / plan.config)
    assert set(plan.models.split(",")) <= set(VARIANTS)
    assert contestants_named(plan.baselines.split(","))


@pytest.mark.parametrize("split", ABLATION_PLANS)
def test_every_change_that_is_listed_can_be_made(split: str) -> None:
    changes = read_changes(ROOT / f"benchmarks/quality/ablations/{split}.toml", ROOT / ABLATION_PLANS[split].config)
    assert len(changes) > 1


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_plan_names_what_exists(plan: Plan) -> None:
    load_settings(ROOT / plan.config)
    assert set(plan.models.split(",")) <= set(VARIANTS)
    assert plan.models.startswith("trifocal")
    names = every_name() if plan.baselines == "all" else plan.baselines.split(",")
    assert contestants_named(names)
    assert len(plan.seeds) >= 3 or plan.trials == 0
