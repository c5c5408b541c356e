"""The order of the answer, adjusted: fewer items of one kind in a row. Pure; knows no model.

Letters: K candidates, D embedding size.
"""

from __future__ import annotations

import numpy as np

from trifocal.types import FloatArray, FloatRows, IntArray, Rankings

__all__ = ["diversified"]

# Candidates among which the adjusted list is chosen, as a multiple of its length, and at least.
_POOL, _POOL_LEAST = 4, 40


def diversified(ranking: Rankings, vectors: FloatRows | None, k: int, diversity: float) -> Rankings:
    """Return the `k` first of `ranking` (1, K), chosen one by one: well placed, and unlike those chosen before.

    `(1 - d) x (1 - place / pool) - d x greatest cosine to what is chosen`: maximal marginal relevance (Carbonell &
    Goldstein, SIGIR 1998), with the place in the list for relevance, since the scale of scores is the model's own.

    Args:
        ranking: one list, best first.
        vectors: (N, D) item vectors, or None = they may not be read, and the list stays as it is.
        k: length of the answer.
        diversity: d, 0 = the list as it is, to 1 = unlikeness alone.

    Two items of one kind and one of another; with d = .5 the third comes second.

    >>> found = Rankings(np.array([[0, 1, 2]]), np.array([[3.0, 2.0, 1.0]], np.float32))
    >>> diversified(found, np.array([[1, 0], [1, 0], [0, 1]], np.float32), 2, 0.5).item_rows.tolist()
    [[0, 2]]
    """
    rows = ranking.item_rows[0]
    pool = rows[: max(_POOL * k, _POOL_LEAST)]
    pool = pool[pool >= 0]
    if vectors is None or diversity <= 0 or len(pool) < 2:
        return Rankings(ranking.item_rows[:, :k], ranking.scores[:, :k])
    chosen = _chosen(_unit(vectors[pool]), min(k, len(pool)), diversity)
    return Rankings(pool[chosen][None], ranking.scores[:, : len(pool)][:, chosen])


def _chosen(unit: FloatArray, k: int, diversity: float) -> IntArray:
    """Places of the `k` chosen ones, in the order of choice; the first stays the first."""
    relevance = (1 - diversity) * (1 - np.arange(len(unit)) / len(unit))
    chosen = [0]
    alike = unit @ unit[0]
    while len(chosen) < k:
        value = relevance - diversity * alike
        value[chosen] = -np.inf
        best = int(value.argmax())
        chosen.append(best)
        alike = np.maximum(alike, unit @ unit[best])
    return np.array(chosen, dtype=np.int64)


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: FloatArray = vectors / np.maximum(lengths, 1e-9)
    return found
