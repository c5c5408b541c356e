from __future__ import annotations

import random
import sys

import pytest

from trifocal.errors import ConfigError
from trifocal.feedback.health import AdwinChange, Alarm, Detector, PageHinkleyChange, Severity


def alarms(detector: Detector, share: float, count: int, seed: int) -> list[Alarm]:
    draws = random.Random(seed)
    found = [detector.update(float(draws.random() < share), 1.0) for _ in range(count)]
    return [alarm for alarm in found if alarm is not None]


@pytest.mark.parametrize(
    "detector",
    [
        AdwinChange("unknown_items", delta=1e-5),
        PageHinkleyChange("empty_context", tolerance=0.05, threshold=30.0),
    ],
)
def test_a_share_that_rises_is_noted_and_one_that_stays_is_not(detector: AdwinChange | PageHinkleyChange) -> None:
    assert alarms(detector, 0.05, 5000, 1) == []
    found = alarms(detector, 0.6, 1000, 2)
    assert found
    assert found[0].severity is Severity.NOTE
    assert found[0].value > found[0].usual
    state = detector.state()
    assert state.observed == 6000
    assert state.alarms == len(found)
    detector.reset()
    assert detector.state() == state


@pytest.mark.parametrize("make", [
    lambda: AdwinChange("x", delta=1e-3), lambda: PageHinkleyChange("x", tolerance=0.1, threshold=5.0),
])  # fmt: skip
def test_without_river_the_extra_is_named(make: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "river.drift", None)
    with pytest.raises(ConfigError, match=r"river: pip install 'trifocal\[serve\]'"):
        make()
