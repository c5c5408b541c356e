from __future__ import annotations

import pytest

from trifocal.feedback.kpis.windows import Cell, Tally, Windows, quantile_ms

CELL: Cell = ("all", "")


def clicked(windows: Windows, at_s: float) -> None:
    for tally in windows.tallies(CELL, at_s):
        tally.clicks += 1


def clicks(windows: Windows, seconds: int, now_s: float) -> int:
    return windows.sums(seconds, now_s).get(CELL, Tally()).clicks


def test_a_count_leaves_each_window_when_its_bucket_does() -> None:
    windows = Windows((10, 100), buckets=10)
    clicked(windows, 1000.0)
    clicked(windows, 1005.5)
    assert [clicks(windows, 10, now_s) for now_s in (1005.5, 1009.9, 1010.0, 1014.9, 1015.0)] == [2, 2, 1, 1, 0]
    assert clicks(windows, 100, 1099.9) == 2
    assert clicks(windows, 100, 1100.0) == 0


def test_what_is_older_counts_in_its_own_bucket_while_that_is_in_the_window() -> None:
    windows = Windows((10, 100), buckets=10)
    clicked(windows, 1009.0)
    clicked(windows, 1003.0)
    clicked(windows, 1003.5)
    # Before the short window, still in the long one.
    clicked(windows, 980.0)
    assert clicks(windows, 10, 1009.0) == 3
    assert clicks(windows, 10, 1013.0) == 1
    assert clicks(windows, 100, 1009.0) == 4


def test_latencies_are_right_to_within_a_bucket() -> None:
    tally = Tally()
    for milliseconds in [4.0] * 90 + [80.0] * 10:
        tally.timed(milliseconds)
    assert quantile_ms(tally.latencies, 0.5) == pytest.approx(4.0, rel=0.2)
    assert quantile_ms(tally.latencies, 0.95) == pytest.approx(80.0, rel=0.2)
    assert quantile_ms([], 0.5) is None
    tally.timed(1e9)
    assert sum(tally.latencies) == 101


def test_sums_of_tallies() -> None:
    one, other = Tally(clicks=2), Tally(clicks=3, satisfaction=0.5)
    other.timed(1.0)
    one.add(other)
    assert (one.clicks, one.satisfaction, sum(one.latencies)) == (5, 0.5, 1)
