from __future__ import annotations

from dataclasses import dataclass

import pytest

from trifocal.serve.admission import Admission
from trifocal.serve.statuses import OverloadedError


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def admission(clock: Clock) -> Admission:
    return Admission(queue=100, wait_s=0.25, overloaded_wait_s=0.01, calm_s=1.0, clock=clock)


def test_a_refusal_shortens_the_queue_until_a_second_went_by_without_one() -> None:
    clock = Clock()
    door = admission(clock)
    door.check(50, 0.005)
    with pytest.raises(OverloadedError, match="would wait for 255 ms, the limit is 250 ms"):
        door.check(51, 0.005)
    assert door.overloaded
    door.check(2, 0.005)
    clock.now_s += 0.9
    with pytest.raises(OverloadedError, match="would wait for 15 ms, the limit is 10 ms"):
        door.check(3, 0.005)
    clock.now_s += 0.9
    assert door.overloaded
    clock.now_s += 0.2
    assert not door.overloaded
    door.check(50, 0.005)


def test_a_full_queue_is_too_much_however_fast_it_goes() -> None:
    door = admission(Clock())
    with pytest.raises(OverloadedError, match="100 questions run or wait, the limit is 100") as caught:
        door.check(100, 0.0)
    assert (caught.value.reason, door.overloaded) == ("queue", True)


def test_an_idle_service_takes_a_question_however_long_they_take() -> None:
    door = admission(Clock())
    with pytest.raises(OverloadedError):
        door.check(1, 5.0)
    door.check(0, 5.0)
