"""Has anything been written under this key since? Counts by key, in bounded memory. Imports nothing else."""

from __future__ import annotations

__all__ = ["WriteCounts"]

_STRIPES = 4096


class WriteCounts:
    """Counts writes of keys; keys that share a stripe share a count, which costs a read, never a wrong answer.

    Not safe by itself: whoever compares a count and acts on it holds one lock over both. Stability: internal.
    """

    def __init__(self) -> None:
        self._counts = [0] * _STRIPES
        self._all = 0

    def count(self, key: str) -> tuple[int, int]:
        """Return a value that differs after each write of `key`."""
        return self._all, self._counts[hash(key) % _STRIPES]

    def add(self, key: str) -> None:
        """Count a write of `key`."""
        self._counts[hash(key) % _STRIPES] += 1

    def add_all(self) -> None:
        """Count a write of every key."""
        self._all += 1
