from __future__ import annotations

from pathlib import Path

from benchmarks.feedback.anomalies import GOALS, SIZES, delay, false_alarms, measure
from benchmarks.feedback.plan import QUICK, Setting


def test_the_quick_run_has_every_figure(tmp_path: Path) -> None:
    setting = Setting(tmp_path, QUICK)
    assert set(setting.key(SIZES)) == {"healthy_impressions", "breaks"}
    measured = measure(setting)
    assert {goal.name for goal in GOALS} <= set(measured.values)
    assert measured.values["false alarms, healthy impressions"] == 0
    assert measured.values["greatest delay, CTR falls to a tenth"] <= 500


def test_a_draw_is_repeated_by_its_seed() -> None:
    assert delay(0.2, seed=3) == delay(0.2, seed=3)
    assert false_alarms(3000, seed=1) == 0
