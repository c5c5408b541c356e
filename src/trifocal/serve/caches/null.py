"""The cache that keeps nothing: the twin for a service without one."""

from __future__ import annotations

from trifocal.ports import CacheStats

__all__ = ["NullCache"]


class NullCache:
    """Every `get` misses and is not counted. Stability: caller."""

    def get(self, key: str) -> bytes | None:
        """Return None."""
        return None

    def put(self, key: str, value: bytes) -> bool:
        """Return False: the value was not kept."""
        return False

    def drop(self, key: str) -> bool:
        """Return True: it is not there."""
        return True

    def drop_matching(self, prefix: str) -> bool:
        """Return True: none is there."""
        return True

    def clear(self) -> bool:
        """Return True: nothing is there."""
        return True

    def stats(self) -> tuple[CacheStats, ...]:
        """Return one empty level."""
        return (CacheStats("none"),)
