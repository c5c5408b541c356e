from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.serve.caches.clock import ManualClock

from trifocal.serve.caches.breaker import CircuitBreaker


def test_a_failure_opens_for_the_cool_down_then_one_may_probe() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(2.0, clock=clock)
    assert breaker.allows()
    assert breaker.failed()  # this one opened it
    assert not breaker.failed()  # this one found it open
    clock.now_s += 1.9
    assert not breaker.allows()
    clock.now_s += 0.2
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    assert breaker.is_open


def test_a_probe_that_fails_costs_another_cool_down() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(2.0, clock=clock)
    breaker.failed()
    clock.now_s += 2.0
    assert breaker.allows()
    assert not breaker.failed()
    clock.now_s += 1.9
    assert not breaker.allows()


def test_a_probe_that_succeeds_closes() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(2.0, clock=clock)
    breaker.failed()
    clock.now_s += 2.0
    assert breaker.allows()
    assert breaker.succeeded()
    assert not breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True] * 3


def test_a_probe_that_never_reports_locks_nobody_out() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(2.0, clock=clock)
    breaker.failed()
    for _ in range(3):
        clock.now_s += 2.0
        assert breaker.allows()


def test_of_many_threads_one_probes() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(2.0, clock=clock)
    breaker.failed()
    clock.now_s += 2.0
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: breaker.allows(), range(100))) == 1
