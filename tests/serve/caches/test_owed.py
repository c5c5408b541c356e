from __future__ import annotations

from tests.serve.caches.clock import ManualClock

from trifocal.serve.caches.owed import OwedDrops


def test_a_debt_stands_until_it_is_paid() -> None:
    owed = OwedDrops(10.0)
    for key in "abc":
        owed.add(key)
    batch = owed.some(2)
    assert list(batch) == ["a", "b"]
    assert owed.holds("a")
    owed.paid(batch)
    assert [owed.holds(key) for key in "abcd"] == [False, False, True, False]


def test_a_debt_that_was_renewed_meanwhile_stays() -> None:
    owed = OwedDrops(10.0)
    owed.add("a")
    batch = owed.some(5)
    owed.add("a")
    owed.paid(batch)
    assert owed.holds("a")


def test_past_the_limit_nothing_is_trusted_until_all_has_died() -> None:
    clock = ManualClock()
    owed = OwedDrops(10.0, limit=2, clock=clock)
    for key in "abc":
        owed.add(key)
    assert owed.holds("never written")
    owed.paid(owed.some(5))
    clock.now_s += 9.9
    assert owed.holds("c")
    clock.now_s += 0.1
    assert not owed.holds("c")


def test_everything_may_be_owed() -> None:
    clock = ManualClock()
    owed = OwedDrops(10.0, clock=clock)
    owed.add_all()
    assert owed.holds("a")
    assert owed.some(5) == {}
    clock.now_s += 10.0
    assert not owed.holds("a")
