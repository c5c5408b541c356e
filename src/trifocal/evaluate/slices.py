"""Users by the length of their history: where does a model win? n stands beside every slice (PROTOCOL.md, 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.data.cases import Cases
from trifocal.evaluate.protocol import Result

__all__ = ["LENGTH_BUCKETS", "Slice", "history_slices"]

# First and last length of each bucket; None = no end.
LENGTH_BUCKETS: tuple[tuple[int, int | None], ...] = ((0, 0), (1, 2), (3, 5), (6, 10), (11, None))


@dataclass(frozen=True)
class Slice:
    """The users of one bucket.

    Attributes:
        label: the bucket, as in "3–5".
        users: n.
        means: one mean a result, in their order.
    """

    label: str
    users: int
    means: tuple[float, ...]


def history_slices(results: Sequence[Result], cases: Cases, metric: str) -> list[Slice]:
    """Return the mean of `metric` by history length, for every bucket that holds a user."""
    lengths = np.array([len(request.history) for request in cases.requests], dtype=np.int64)
    found = []
    for first, last in LENGTH_BUCKETS:
        inside = (lengths >= first) & (lengths <= (np.iinfo(np.int64).max if last is None else last))
        if inside.any():
            means = tuple(float(result.metrics[metric][inside].mean()) for result in results)
            found.append(Slice(_label(first, last), int(inside.sum()), means))
    return found


def _label(first: int, last: int | None) -> str:
    if last is None:
        return f"{first}+"
    return str(first) if first == last else f"{first}–{last}"
