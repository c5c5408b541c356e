from __future__ import annotations

from typing import Literal

import pytest

from trifocal.feedback.health import EwmaChart


def learned(side: Literal["both", "above", "below"] = "both", **changes: float) -> EwmaChart:
    chart = EwmaChart("score", learn=4, limit=6.0, side=side, **changes)  # type: ignore[arg-type]  # floats only here
    for value in (9, 11, 9, 11):
        chart.update(value, 0.0)
    return chart


def test_the_first_values_are_what_is_usual() -> None:
    state = learned().state()
    assert (state.observed, state.usual, state.evidence) == (4, 10.0, 0.0)


@pytest.mark.parametrize(("side", "value", "expected"), [
    ("both", 20, True), ("both", 0, True), ("above", 20, True), ("above", 0, False), ("below", 0, True),
    ("below", 20, False),
])  # fmt: skip
def test_only_the_side_that_counts_is_an_alarm(
    side: Literal["both", "above", "below"], value: float, *, expected: bool
) -> None:
    assert (learned(side).update(value, 0.0) is not None) == expected


def test_a_small_shift_is_found_after_a_while_and_the_usual_spread_never() -> None:
    chart = learned()
    assert all(chart.update(value, 0.0) is None for value in [9, 11] * 100)
    # 13 lies 3 deviations away: z comes to 3 of them, .378 a deviation of z, so that 6 are reached at 2.27.
    steps = next(step for step in range(1, 20) if chart.update(13, 0.0) is not None)
    # z - 10 = 3 (1 - .75^n): 2.25 after the fifth where it began at 10; the run before may add one.
    assert steps in (5, 6)


def test_no_spread_at_all_counts_as_the_least_one() -> None:
    chart = EwmaChart("latency", learn=3, limit=5.0, least_deviation=1.0)
    for _ in range(3):
        chart.update(4.0, 0.0)
    assert chart.update(5.0, 0.0) is None


def test_an_alarm_begins_anew() -> None:
    chart = learned()
    assert chart.update(30, 3.0) is not None
    assert chart.state().evidence == 0
    assert chart.state().alarms == 1
