"""Counts over the last minutes, hour, day: a ring of buckets for each window. Bounded; no clock of its own."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["LATENCIES_MS", "Cell", "Tally", "Windows", "quantile_ms"]

# From half a millisecond on, each bound a fifth above the one before: a quantile is right to within that.
LATENCIES_MS: tuple[float, ...] = tuple(0.5 * 1.2**step for step in range(60))
"""Upper bounds of the latency counts."""

Cell = tuple[str, str]
"""What is told apart: a dimension, such as `variant`, and its value."""


@dataclass
class Tally:
    """What was counted in one cell; sums may be put together."""

    impressions: int = 0
    clicks: int = 0
    carts: int = 0
    purchases: int = 0
    sessions: int = 0
    returning: int = 0
    converted: int = 0
    satisfaction: float = 0.0
    satisfaction_squares: float = 0.0
    answers: int = 0
    failed: int = 0
    fallen: int = 0
    cached: int = 0
    latencies: list[int] = field(default_factory=list)

    def timed(self, milliseconds: float) -> None:
        """Count one latency."""
        if not self.latencies:
            self.latencies = [0] * (len(LATENCIES_MS) + 1)
        step = 0 if milliseconds <= LATENCIES_MS[0] else math.ceil(math.log(milliseconds / LATENCIES_MS[0], 1.2))
        self.latencies[min(step, len(LATENCIES_MS))] += 1

    def add(self, other: Tally) -> None:
        """Count what `other` counted as well."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.latencies:
            mine = self.latencies or [0] * len(other.latencies)
            self.latencies = [a + b for a, b in zip(mine, other.latencies, strict=True)]


_NUMBERS = tuple(name for name in Tally.__dataclass_fields__ if name != "latencies")


def quantile_ms(latencies: Sequence[int], share: float) -> float | None:
    """Return the latency that `share` of the counts are not above, linear within a bucket; None = nothing counted.

    Ten counts between .5 and .6 ms: half of them are not above the middle.

    >>> round(quantile_ms([0, 10, *[0] * 59], 0.5), 3)
    0.55
    """
    total = sum(latencies)
    if not total:
        return None
    wanted, before = share * total, 0
    for place, count in enumerate(latencies):
        if count and before + count >= wanted:
            high = LATENCIES_MS[min(place, len(LATENCIES_MS) - 1)]
            low = LATENCIES_MS[place - 1] if place else 0.0
            return low + (high - low) * (wanted - before) / count
        before += count
    return LATENCIES_MS[-1]


class Windows:
    """Tallies by cell in several windows that end now. Used from one thread. Stability: internal."""

    def __init__(self, windows_s: Sequence[int], buckets: int) -> None:
        """Cut each window, of so many seconds, into `buckets`."""
        self._rings = {seconds: _Ring(seconds / buckets, buckets) for seconds in windows_s}

    def tallies(self, cell: Cell, at_s: float) -> Iterator[Tally]:
        """Return the tally of `cell` of each window whose buckets hold `at_s`, to be counted up."""
        for ring in self._rings.values():
            bucket = ring.bucket(at_s)
            if bucket is not None:
                yield bucket.setdefault(cell, Tally())

    def sums(self, seconds: int, now_s: float) -> dict[Cell, Tally]:
        """Return cell -> what was counted in the last `seconds`, one of the windows."""
        sums: dict[Cell, Tally] = {}
        for bucket in self._rings[seconds].buckets(now_s):
            for cell, tally in bucket.items():
                sums.setdefault(cell, Tally()).add(tally)
        return sums


class _Ring:
    """The newest buckets, each with its number since 1970."""

    def __init__(self, bucket_s: float, buckets: int) -> None:
        self._bucket_s, self._size = bucket_s, buckets
        self._buckets: deque[tuple[int, dict[Cell, Tally]]] = deque()

    def bucket(self, at_s: float) -> dict[Cell, Tally] | None:
        """The bucket of `at_s`; None where it has left the window."""
        number = int(at_s // self._bucket_s)
        if not self._buckets or number > self._buckets[-1][0]:
            self._buckets.append((number, {}))
            self._forget(number)
            return self._buckets[-1][1]
        for found, bucket in reversed(self._buckets):
            if found == number:
                return bucket
            if found < number:
                break
        # A time between two buckets that are there, or before all: only what is still in the window counts.
        return self._inserted(number)

    def buckets(self, now_s: float) -> Iterator[dict[Cell, Tally]]:
        newest = int(now_s // self._bucket_s)
        self._forget(newest)
        return (bucket for _, bucket in self._buckets)

    def _inserted(self, number: int) -> dict[Cell, Tally] | None:
        if number <= self._buckets[-1][0] - self._size:
            return None
        place = sum(found < number for found, _ in self._buckets)
        self._buckets.insert(place, (number, {}))
        return self._buckets[place][1]

    def _forget(self, newest: int) -> None:
        while self._buckets and self._buckets[0][0] <= newest - self._size:
            self._buckets.popleft()
