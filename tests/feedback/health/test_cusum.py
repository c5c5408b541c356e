from __future__ import annotations

import math
import random

import pytest

from trifocal.feedback.health import Severity, ShareCusum, ShareFall


def healthy(detector: ShareFall, draws: random.Random, count: int, share: float) -> int:
    """Give `count` values at `share`; return after how many came the first alarm, or `count`."""
    for place in range(count):
        if detector.update(float(draws.random() < share), 0.0) is not None:
            return place
    return count


def test_evidence_is_the_log_of_how_much_likelier_the_changed_share_is() -> None:
    detector = ShareCusum("errors", usual=0.1, changed=0.5, threshold=10.0)
    detector.update(1, 0.0)
    detector.update(0, 0.0)
    assert detector.state().evidence == pytest.approx(math.log(5) + math.log(0.5 / 0.9))
    detector.reset()
    detector.update(0, 0.0)
    # Evidence for the usual share is not saved up.
    assert detector.state().evidence == 0


def test_an_alarm_says_what_when_and_how_bad() -> None:
    detector = ShareCusum("errors", usual=0.01, changed=0.2, threshold=5.0)
    assert detector.update(1, 1.0) is None
    # Two in a row: 2 log 20 = 5.99.
    alarm = detector.update(1, 2.0)
    assert alarm is not None
    assert (alarm.signal, alarm.at_s, alarm.severity, alarm.usual) == ("errors", 2.0, Severity.STEP, 0.01)
    assert detector.state().alarms == 1
    assert detector.state().evidence == 0


def test_the_usual_share_is_learned_first() -> None:
    detector = ShareFall("ctr", falls=((0.3, 2.0),), learn=100)
    for place in range(100):
        assert detector.state().usual is None
        assert detector.update(float(place % 10 == 0), 0.0) is None
    assert detector.state().usual == pytest.approx(0.1)
    # A failure weighs log(.97 / .9) = .0749: 27 make 2.02, as the usual share falls a little on the way.
    quiet = 0
    while detector.update(0.0, 5.0) is None:
        quiet += 1
    assert 26 <= quiet <= 28


def test_clicks_that_come_in_bundles_make_it_slower() -> None:
    spread, bundled = (ShareFall("ctr", falls=((0.3, 12.0),), learn=1000) for _ in range(2))
    for place in range(1000):
        spread.update(float(place % 10 == 0), 0.0)
        # The same share: of ten answers of ten items, one is clicked all over.
        bundled.update(float(place % 100 < 10), 0.0)
    delays = []
    for detector in (spread, bundled):
        count = 0
        while detector.update(0.0, 0.0) is None:
            count += 1
        delays.append(count)
    assert delays[1] > 2 * delays[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_fall_to_a_fifth_is_found_within_500_and_health_is_left_alone(seed: int) -> None:
    draws = random.Random(seed)
    detector = ShareFall("ctr", falls=((0.3, 12.0),), learn=2000)
    assert healthy(detector, draws, 20_000, 0.1) == 20_000
    assert healthy(detector, draws, 1000, 0.02) < 500


def test_a_day_that_swings_by_a_quarter_is_no_fall() -> None:
    draws = random.Random(7)
    detector = ShareFall("ctr", falls=((0.3, 12.0),), learn=2000)
    for place in range(40_000):
        share = 0.1 * (1 + 0.25 * math.sin(2 * math.pi * place / 20_000))
        assert detector.update(float(draws.random() < share), 0.0) is None
