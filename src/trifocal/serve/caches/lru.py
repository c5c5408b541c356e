"""Values by key, the least recently used leaving first; bounded by bytes that the caller counts. In memory only."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from trifocal.ports import CacheStats

__all__ = ["Lru"]

_Value = TypeVar("_Value")


class _Entry(NamedTuple, Generic[_Value]):
    value: _Value
    size_bytes: int
    dies_s: float


class Lru(Generic[_Value]):
    """A bounded dictionary; safe to use from several threads. Stability: internal."""

    def __init__(
        self, limit_bytes: int, *, ttl_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep nothing yet.

        Args:
            limit_bytes: sum of the sizes of all entries at most.
            ttl_s: seconds that an entry lives, or None = until it must make room.
            clock: seconds, never going back.
        """
        self._limit_bytes, self._ttl_s, self._clock = limit_bytes, ttl_s, clock
        self._entries: OrderedDict[str, _Entry[_Value]] = OrderedDict()
        self._lock = Lock()
        self._used_bytes = self._hits = self._misses = self._evictions = 0

    def get(self, key: str) -> _Value | None:
        """Return the value of `key`, or None where there is none that still lives."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._ttl_s is not None and self._clock() >= entry.dies_s:
                self._remove(key)
                entry = None
            if entry is None:
                self._misses += 1
                return None
            self._hits += 1
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: str, value: _Value, size_bytes: int) -> bool:
        """Keep `value`; return False where it is larger than the whole cache. What stood under `key` is gone anyway."""
        with self._lock:
            self._remove(key)
            if size_bytes > self._limit_bytes:
                return False
            dies_s = 0.0 if self._ttl_s is None else self._clock() + self._ttl_s
            self._entries[key] = _Entry(value, size_bytes, dies_s)
            self._used_bytes += size_bytes
            while self._used_bytes > self._limit_bytes:
                self._remove(next(iter(self._entries)))
                self._evictions += 1
            return True

    def drop(self, key: str) -> None:
        """Forget `key`."""
        with self._lock:
            self._remove(key)

    def drop_matching(self, prefix: str) -> None:
        """Forget every key that starts with `prefix`; walks over all keys."""
        with self._lock:
            for key in [key for key in self._entries if key.startswith(prefix)]:
                self._remove(key)

    def stats(self) -> CacheStats:
        """Return the counts as the level `memory`."""
        with self._lock:
            return CacheStats(
                "memory",
                hits=self._hits,
                misses=self._misses,
                evictions=self._evictions,
                entries=len(self._entries),
                used_bytes=self._used_bytes,
                limit_bytes=self._limit_bytes,
            )

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used_bytes -= entry.size_bytes
