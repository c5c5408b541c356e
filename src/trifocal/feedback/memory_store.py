"""An event store that forgets on exit: the twin of the durable one, for tests and for a server without a file."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from threading import Lock

from trifocal.ports import StoredEvent

__all__ = ["MemoryEventStore"]


class MemoryEventStore:
    """Keeps every event in memory; safe to use from several threads. Stability: caller."""

    def __init__(self) -> None:
        # By number, which rises: a dict keeps the order of arrival.
        self._events: dict[int, StoredEvent] = {}
        self._by_user: dict[str, list[int]] = defaultdict(list)
        self._known: set[str] = set()
        self._last = 0
        self._lock = Lock()

    def append(self, events: Sequence[StoredEvent]) -> int:
        """Store `events`; return how many were new."""
        with self._lock:
            before = len(self._known)
            for event in events:
                if event.event_id not in self._known:
                    self._add(event)
            return len(self._known) - before

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        """Return the user's newest `limit` events, oldest first; equal times in the order of arrival."""
        with self._lock:
            events = [self._events[number] for number in self._by_user.get(user_id, ())]
        events.sort(key=lambda event: event.timestamp_s)
        return events[max(len(events) - limit, 0) :]

    def after(self, sequence: int, limit: int) -> list[tuple[int, StoredEvent]]:
        """Return the first `limit` events past `sequence` in the order of arrival, each with its number."""
        with self._lock:
            numbers = list(self._events)
            first = bisect_right(numbers, sequence)
            return [(number, self._events[number]) for number in numbers[first : first + limit]]

    def count(self) -> int:
        """Return how many events are kept."""
        with self._lock:
            return len(self._events)

    def prune(self, before_s: float) -> int:
        """Delete what happened before `before_s`; return how many events there were."""
        return self._delete(lambda event: event.timestamp_s < before_s)

    def forget(self, user_id: str) -> int:
        """Delete every event of the user; return how many there were."""
        return self._delete(lambda event: event.user_id == user_id)

    def close(self) -> None:
        """Release nothing; there is nothing held."""

    def _add(self, event: StoredEvent) -> None:
        self._last += 1
        self._known.add(event.event_id)
        self._events[self._last] = event
        self._by_user[event.user_id].append(self._last)

    def _delete(self, is_unwanted: Callable[[StoredEvent], bool]) -> int:
        with self._lock:
            gone = [number for number, event in self._events.items() if is_unwanted(event)]
            for number in gone:
                event = self._events.pop(number)
                self._known.remove(event.event_id)
                self._by_user[event.user_id].remove(number)
                if not self._by_user[event.user_id]:
                    del self._by_user[event.user_id]
        return len(gone)
