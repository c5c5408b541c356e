"""Keys that must still be dropped on a server that could not be reached. In memory, bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import count, islice
from threading import Lock

__all__ = ["OwedDrops"]


class OwedDrops:
    """Remembers lost invalidations, so that a server that comes back does not answer with what is outdated.

    Past the limit single keys are no longer kept: then nothing is trusted until all that was there has died.
    Stability: internal.
    """

    def __init__(self, ttl_s: float, *, limit: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        """Owe nothing.

        Args:
            ttl_s: seconds after which the server itself forgets a value.
            limit: keys that are remembered one by one.
            clock: seconds, never going back.
        """
        self._ttl_s, self._limit, self._clock = ttl_s, limit, clock
        self._keys: dict[str, int] = {}
        self._numbers = count()
        self._distrust_until_s: float | None = None
        self._lock = Lock()

    def add(self, key: str) -> None:
        """Owe the drop of `key`."""
        with self._lock:
            if key in self._keys or len(self._keys) < self._limit:
                self._keys[key] = next(self._numbers)
            else:
                self._distrust_until_s = self._clock() + self._ttl_s

    def add_all(self) -> None:
        """Owe the drop of everything."""
        with self._lock:
            self._distrust_until_s = self._clock() + self._ttl_s

    def holds(self, key: str) -> bool:
        """Return whether what the server has under `key` may be outdated."""
        if key in self._keys:
            return True
        return self._distrust_until_s is not None and self._clock() < self._distrust_until_s

    def some(self, limit: int) -> Mapping[str, int]:
        """Return up to `limit` keys to drop now, oldest first, each with the number of its debt."""
        if not self._keys:
            return {}
        with self._lock:
            return dict(islice(self._keys.items(), limit))

    def paid(self, keys: Mapping[str, int]) -> None:
        """Forget the debts that `some` returned; one that was renewed meanwhile stays."""
        if not keys:
            return
        with self._lock:
            for key, number in keys.items():
                if self._keys.get(key) == number:
                    del self._keys[key]
