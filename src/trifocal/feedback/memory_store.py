"""An event store that forgets on exit: the twin of the durable one, for tests and for a server without a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from threading import Lock

from trifocal.ports import StoredEvent

__all__ = ["MemoryEventStore"]


class MemoryEventStore:
    """Keeps every event in memory; safe to use from several threads. Stability: caller."""

    def __init__(self) -> None:
        self._events: dict[str, list[StoredEvent]] = defaultdict(list)
        self._known: set[str] = set()
        self._lock = Lock()

    def append(self, events: Sequence[StoredEvent]) -> int:
        """Store `events`; return how many were new."""
        with self._lock:
            before = len(self._known)
            for event in events:
                if event.event_id not in self._known:
                    self._known.add(event.event_id)
                    self._events[event.user_id].append(event)
            return len(self._known) - before

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        """Return the user's newest `limit` events, oldest first; equal times in the order of arrival."""
        with self._lock:
            events = sorted(self._events.get(user_id, ()), key=lambda event: event.timestamp_s)
        return events[max(len(events) - limit, 0) :]

    def forget(self, user_id: str) -> int:
        """Delete every event of the user; return how many there were."""
        with self._lock:
            gone = self._events.pop(user_id, [])
            self._known -= {event.event_id for event in gone}
        return len(gone)

    def close(self) -> None:
        """Release nothing; there is nothing held."""
