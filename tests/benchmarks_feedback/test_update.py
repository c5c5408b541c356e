"""The figures of updates: what is compared with what; and, small, the whole part."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.feedback.plan import QUICK, Setting
from benchmarks.feedback.update import GOALS, measure, update_figures
from benchmarks.table.figures import figures_of

from trifocal.evaluate.gate import Compared


def compared(serving: float, low: float) -> Compared:
    return Compared("ndcg@10", 100, 0.3, serving, low, 0.3)


def test_the_figures_are_held_against_their_goals() -> None:
    found = update_figures(
        {"all": compared(0.2, 0.05), "old items": compared(0.25, -0.01), "full": compared(0.28, -0.02)},
        {"cpu_s": 30.0, "wall_s": 50.0},
        {"cpu_s": 200.0, "wall_s": 250.0},
    )
    figures = {figure.name: figure for figure in figures_of("update", GOALS, found)}
    share = figures["time of the update / of a full training"]
    assert (share.value, share.met) == (0.15, True)
    assert "by the clock 0.20" in share.note
    gain = figures["nDCG@10, updated - old, lower end of the interval"]
    assert (gain.value, gain.met) == (0.05, True)
    assert figures["nDCG@10, full training"].value == 0.28
    assert figures["nDCG@10, updated - old, old items alone"].value == pytest.approx(0.05)


@pytest.mark.slow
def test_the_part_runs_small_and_is_kept(tmp_path: Path) -> None:
    setting = Setting(tmp_path, QUICK)
    first = measure(setting)
    assert {goal.name for goal in GOALS} <= set(first.values)
    assert first.values["update"] > 0
    # What was timed is not timed again.
    assert measure(setting).values["update"] == first.values["update"]
