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

    def test_nothing_in_nothing_out(self, store: EventStore) -> None:
        assert store.append([]) == 0
        assert store.newest("nobody", 5) == []

    def test_threads_lose_nothing(self, store: EventStore) -> None:
        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(lambda number: store.append([stored_event(number % 40)]), range(80)))
        assert sum(counts) == 40
        assert len(store.newest("ann", 100)) == 40
