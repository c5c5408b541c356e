from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.feedback import MemoryEventStore
from trifocal.ports import StoredEvent
from trifocal.serve.experiment.tally import Tally, newest_number


def event(number: int, user: str, kind: str, variant: str | None = "a", answer: str | None = None) -> StoredEvent:
    return StoredEvent(f"e{number}", user, "hat", kind, float(number), variant=variant, answer_id=answer)


EVENTS = [
    # A click before anything was shown, and one of nobody's variant.
    event(0, "ann", "click"),
    event(1, "eve", "impression", "forced:a"),
    event(2, "ann", "impression"),
    event(3, "ann", "impression"),
    event(4, "ann", "click"),
    event(5, "ann", "click", None),
    event(6, "ann", "click", None, "answer"),
    event(7, "ben", "impression"),
    event(8, "zoe", "impression", "b"),
    event(9, "zoe", "impression", "a"),
    event(10, "zoe", "purchase", None),
    event(11, "zoe", "purchase", "b"),
    event(12, "tom", "purchase", "b"),
]


def test_a_shopper_counts_for_the_variant_seen_first() -> None:
    tally = Tally(["a", "b"])
    tally.add(EVENTS)
    assert tally.totals() == {"a": (3, 2, 0), "b": (2, 0, 1)}
    found = tally.estimates()
    # Two clicks of ann and none of ben on three impressions.
    assert found["a"]["ctr"].mean == pytest.approx(2 / 3)
    assert found["a"]["ctr"].shoppers == 2
    assert (found["a"]["conversion"].mean, found["b"]["conversion"].mean) == (0.0, 1.0)
    assert found["b"]["ctr"].mean == 0.0


def test_the_store_is_read_on_and_nothing_counts_twice() -> None:
    store, tally = MemoryEventStore(), Tally(["a", "b"])
    assert tally.totals() == {"a": (0, 0, 0), "b": (0, 0, 0)}
    assert tally.estimates()["a"]["ctr"].shoppers == 0
    for first in range(0, len(EVENTS), 4):
        store.append(EVENTS[first : first + 4])
        store.append(EVENTS[first : first + 4])
        assert tally.read(store) == len(EVENTS[first : first + 4])
    whole = Tally(["a", "b"])
    assert (whole.read(store), whole.totals()) == (len(EVENTS), tally.totals())
    later = Tally(["a", "b"], newest_number(store))
    assert later.read(store) == 0


def test_so_many_shoppers_are_counted_at_most() -> None:
    tally = Tally(["a"], most=2)
    tally.add([event(number, f"user-{number % 3}", "impression") for number in range(9)])
    assert tally.totals() == {"a": (6, 0, 0)}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 70))
def test_the_newest_number_is_found(count: int) -> None:
    store = MemoryEventStore()
    store.append([event(number, "ann", "click") for number in range(count)])
    assert newest_number(store) == count
