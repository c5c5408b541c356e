from __future__ import annotations

import math

import pytest
from benchmarks.table.figures import Figure, Goal, Measured, figures_of, median_ratio, percentiles, table_markdown
from hypothesis import given, settings
from hypothesis import strategies as st

FAST = Goal("p50", "ms", 5.0)
MUCH = Goal("throughput", "x", 2.0, "at least")


def test_percentiles_of_one_to_a_hundred() -> None:
    # Linear between neighbours: place 0.95 * 99 = 94.05 of 1..100 is 95.05.
    found = percentiles([float(value) for value in range(100, 0, -1)])
    assert (found.p50, found.p95, found.p99) == (50.5, 95.05, 99.01)


@settings(max_examples=50)
@given(st.lists(st.floats(0.001, 1e5), min_size=1))
def test_percentiles_rise_and_stay_within_what_was_measured(values: list[float]) -> None:
    found = percentiles(values)
    assert min(values) - 1e-5 <= found.p50 <= found.p95 + 1e-5
    assert found.p95 <= found.p99 + 1e-5 <= max(values) + 2e-5


def test_a_ratio_is_the_median_over_the_rounds_not_the_ratio_of_medians() -> None:
    # Ratios 1, 2, 3; the medians are 20 and 15.
    assert median_ratio([10.0, 30.0, 20.0], [10.0, 15.0, 20.0 / 3]) == pytest.approx(2.0)
    assert math.isclose(median_ratio([4.0], [8.0]), 0.5)


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [(FAST, 5.0, True), (FAST, 5.1, False), (MUCH, 2.0, True), (MUCH, 1.9, False), (FAST, None, False)],
)
def test_a_target_is_met_on_its_side_of_the_limit_and_never_by_what_was_not_measured(
    goal: Goal, value: float | None, met: bool
) -> None:
    assert Figure("compare", goal.name, value, goal.unit, goal).met is met


def test_a_part_without_measurement_is_missing_in_every_line() -> None:
    lines = figures_of("compare", (FAST, MUCH), None)
    assert [(line.name, line.value, line.met) for line in lines] == [("p50", None, False), ("throughput", None, False)]
    table = table_markdown(lines).splitlines()
    assert table[2] == "| compare | p50 | missing | at most 5 | missing |  |"
    assert lines[0].to_json()["met"] is False


def test_goals_come_first_and_what_has_no_target_has_no_verdict() -> None:
    measured = Measured({"stage": 1.5, "p50": 4.0}, {"p50": "stretch"}, {"stage": "ms"})
    table = table_markdown(figures_of("compare", (FAST,), measured)).splitlines()
    assert table[2:] == [
        "| compare | p50 | 4 ms | at most 5 | met | stretch |",
        "| compare | stage | 1.5 ms |  |  |  |",
    ]
