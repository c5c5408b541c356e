"""What every `EventStore` must do, whatever keeps the events."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from trifocal.ports import EventStore, StoredEvent


def stored_event(number: int, user_id: str = "ann", timestamp_s: float | None = None) -> StoredEvent:
    """Return event `number` of a user; its time is its number."""
    time_s = float(number) if timestamp_s is None else timestamp_s
    return StoredEvent(f"e{number}", user_id, f"item{number}", "click", time_s)


class EventStoreContract:
    """Inherit, and say how the store is opened."""

    @abstractmethod
    def open(self, folder: Path) -> EventStore:
        """Return an empty store."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[EventStore]:
        with closing(self.open(tmp_path)) as store:
            yield store

    def test_newest_are_the_last_ones_oldest_first(self, store: EventStore) -> None:
        assert store.append([stored_event(3), stored_event(1), stored_event(2)]) == 3
        assert [e.event_id for e in store.newest("ann", 2)] == ["e2", "e3"]

    def test_equal_times_keep_the_order_of_arrival(self, store: EventStore) -> None:
        store.append([stored_event(number, timestamp_s=5.0) for number in (7, 4, 9)])
        assert [e.event_id for e in store.newest("ann", 9)] == ["e7", "e4", "e9"]

    def test_every_field_comes_back(self, store: EventStore) -> None:
        event = StoredEvent("x", "ann", "shoe", "purchase", 1.5, "s", "phone", "NL", 900, 3, "red shoe", 2.5)
        event = replace(event, answer_id="a", propensity=0.5, model_version="m", variant="v", rung="full")
        store.append([event, replace(stored_event(1), timestamp_s=2.0)])
        assert store.newest("ann", 9) == [event, replace(stored_event(1), timestamp_s=2.0)]

    def test_an_id_is_stored_once(self, store: EventStore) -> None:
        assert store.append([stored_event(1)]) == 1
        again = replace(stored_event(1), item_id="other")
        assert store.append([again, stored_event(2), stored_event(2)]) == 1
        assert [e.item_id for e in store.newest("ann", 9)] == ["item1", "item2"]

    def test_users_are_kept_apart(self, store: EventStore) -> None:
        store.append([stored_event(1, "ann"), stored_event(2, "ben")])
        assert [e.event_id for e in store.newest("ben", 9)] == ["e2"]

    def test_a_user_is_forgotten_alone(self, store: EventStore) -> None:
        store.append([stored_event(1, "ann"), stored_event(2, "ben"), stored_event(3, "ann")])
        assert (store.forget("ann"), store.forget("ann")) == (2, 0)
        assert store.newest("ann", 9) == []
        assert [e.event_id for e in store.newest("ben", 9)] == ["e2"]

    def test_everything_comes_in_the_order_of_arrival(self, store: EventStore) -> None:
        store.append([stored_event(3, "ben"), stored_event(1)])
        store.append([stored_event(3, "ben"), stored_event(2)])
        found = store.after(0, 9)
        assert [event for _, event in found] == [stored_event(3, "ben"), stored_event(1), stored_event(2)]
        numbers = [number for number, _ in found]
        assert numbers == sorted(set(numbers))
        assert numbers[0] >= 1

    def test_whoever_goes_on_from_the_last_number_gets_everything_once(self, store: EventStore) -> None:
        store.append([stored_event(number) for number in range(7)])
        seen: list[str] = []
        last = 0
        while page := store.after(last, 3):
            assert len(page) <= 3
            seen += [event.event_id for _, event in page]
            last = page[-1][0]
        assert seen == [f"e{number}" for number in range(7)]
        assert store.after(last, 3) == []

    def test_no_number_comes_twice(self, store: EventStore) -> None:
        store.append([stored_event(1, "ann"), stored_event(2, "ben")])
        last = store.after(0, 9)[-1][0]
        store.forget("ben")
        store.append([stored_event(3, "cem")])
        assert [event.event_id for _, event in store.after(last, 9)] == ["e3"]

    def test_no_event_appears_under_a_number_that_was_passed(self, store: EventStore) -> None:
        seen: list[str] = []
        with ThreadPoolExecutor(4) as pool:
            writing = [
                pool.submit(store.append, [stored_event(10 * batch + n) for n in range(10)]) for batch in range(30)
            ]
            last = 0
            while len(seen) < 300:
                page = store.after(last, 50)
                seen += [event.event_id for _, event in page]
                last = page[-1][0] if page else last
                if not page and all(one.done() for one in writing) and not store.after(last, 1):
                    break
        assert sorted(seen) == sorted(f"e{number}" for number in range(300))

    def test_the_old_is_deleted_and_its_id_is_free(self, store: EventStore) -> None:
        store.append([stored_event(number) for number in (1, 2, 3, 4)])
        assert (store.count(), store.prune(3.0), store.prune(3.0), store.count()) == (4, 2, 0, 2)
        assert [e.event_id for e in store.newest("ann", 9)] == ["e3", "e4"]
        assert store.append([stored_event(1), stored_event(3)]) == 1

    def test_a_forgotten_user_is_in_nothing_that_is_read(self, store: EventStore) -> None:
        store.append([stored_event(1, "ann"), stored_event(2, "ben")])
        store.forget("ann")
        assert [event.user_id for _, event in store.after(0, 9)] == ["ben"]
        assert store.count() == 1

    def test_nothing_in_nothing_out(self, store: EventStore) -> None:
        assert store.append([]) == 0
        assert store.newest("nobody", 5) == []
        assert (store.after(0, 5), store.count(), store.prune(9.0)) == ([], 0, 0)

    def test_threads_lose_nothing(self, store: EventStore) -> None:
        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(lambda number: store.append([stored_event(number % 40)]), range(80)))
        assert sum(counts) == 40
        assert len(store.newest("ann", 100)) == 40
