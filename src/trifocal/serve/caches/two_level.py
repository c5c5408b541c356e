"""Memory in front, a shared server behind. Knows neither the server nor what is kept."""

from __future__ import annotations

from threading import Lock

from trifocal.ports import Cache, CacheStats
from trifocal.serve.caches.memory import MemoryCache
from trifocal.serve.caches.writes import WriteCounts

__all__ = ["TwoLevelCache"]


class TwoLevelCache:
    """Asks the memory, then the shared level; what the shared level has is kept in memory too. Stability: caller.

    What another process drops stays in this one's memory until its time to live ends: give the memory one, or use keys
    that name the version of what they hold.
    """

    def __init__(self, memory: MemoryCache, shared: Cache) -> None:
        self._memory, self._shared = memory, shared
        self._writes = WriteCounts()
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """Return the value of `key` from the nearest level that has it, or None."""
        value = self._memory.get(key)
        if value is not None:
            return value
        writes = self._writes.count(key)
        value = self._shared.get(key)
        if value is not None:
            with self._lock:
                # What was written while the server was asked is newer than its answer.
                if writes == self._writes.count(key):
                    self._memory.put(key, value)
        return value

    def put(self, key: str, value: bytes) -> bool:
        """Keep `value` in both levels."""
        shared = self._shared.put(key, value)
        with self._lock:
            self._writes.add(key)
            return self._memory.put(key, value) and shared

    def drop(self, key: str) -> bool:
        """Forget `key` in both levels."""
        shared = self._shared.drop(key)
        with self._lock:
            self._writes.add(key)
            return self._memory.drop(key) and shared

    def drop_matching(self, prefix: str) -> bool:
        """Forget every key that starts with `prefix`, in both levels."""
        shared = self._shared.drop_matching(prefix)
        with self._lock:
            self._writes.add_all()
            return self._memory.drop_matching(prefix) and shared

    def clear(self) -> bool:
        """Forget everything of this cache, in both levels."""
        return self.drop_matching("")

    def stats(self) -> tuple[CacheStats, ...]:
        """Return the memory's counts, then those of the shared level."""
        return (*self._memory.stats(), *self._shared.stats())
