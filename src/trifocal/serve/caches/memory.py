"""The first level of a cache: bytes in this process, bounded by bytes."""

from __future__ import annotations

import time
from collections.abc import Callable

from trifocal.ports import CacheStats
from trifocal.serve.caches.lru import Lru

__all__ = ["ENTRY_OVERHEAD_BYTES", "MemoryCache"]

# Python's own objects around a key and a value: CPython 3.11 takes up to 310 bytes (tracemalloc, 30,000 entries).
ENTRY_OVERHEAD_BYTES = 320


class MemoryCache:
    """Keeps the most recently used values; safe to use from several threads. Stability: caller."""

    def __init__(
        self, limit_bytes: int, *, ttl_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep nothing yet.

        Args:
            limit_bytes: of keys, values and `ENTRY_OVERHEAD_BYTES` an entry; a larger value is not kept.
            ttl_s: seconds that an entry lives, or None = until it must make room.
            clock: seconds, never going back.
        """
        self._values = Lru[bytes](limit_bytes, ttl_s=ttl_s, clock=clock)

    def get(self, key: str) -> bytes | None:
        """Return the value of `key`, or None."""
        return self._values.get(key)

    def put(self, key: str, value: bytes) -> bool:
        """Keep `value`; return False where it is larger than the whole cache."""
        return self._values.put(key, value, _size_bytes(key) + len(value) + ENTRY_OVERHEAD_BYTES)

    def drop(self, key: str) -> bool:
        """Forget `key`."""
        self._values.drop(key)
        return True

    def drop_matching(self, prefix: str) -> bool:
        """Forget every key that starts with `prefix`."""
        self._values.drop_matching(prefix)
        return True

    def clear(self) -> bool:
        """Forget everything."""
        return self.drop_matching("")

    def stats(self) -> tuple[CacheStats, ...]:
        """Return the counts of this one level."""
        return (self._values.stats(),)


def _size_bytes(key: str) -> int:
    return len(key.encode("utf-8", "surrogatepass"))
