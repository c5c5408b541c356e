"""How alike items that joined are to the catalogue: a broken encoder makes vectors that lie where no item is."""

from __future__ import annotations

import numpy as np

from trifocal.types import FloatArray, FloatRows, IntArray

__all__ = ["NewItems"]

_SAMPLE = 1000
# New items looked at in one go; the rest have their turn at the next.
_AT_ONCE = 64
_LEAST_LENGTH = 1e-9


class NewItems:
    """Compares each new vector with a sample of those that were there. Used from one thread. Stability: internal."""

    def __init__(self, seed: int = 0) -> None:
        self._generator = np.random.default_rng(seed)
        self._sample = np.zeros((0, 0), np.float32)
        self._seen = 0

    def learn(self, vectors: FloatRows, items: int) -> None:
        """Draw the sample among the first `items` of `vectors` (N, D); later ones are new."""
        rows = self._generator.permutation(items)[:_SAMPLE].astype(np.int64)
        self._sample, self._seen = _unit(vectors, rows), items

    def likenesses(self, vectors: FloatRows) -> list[float]:
        """Return for each vector that joined since its greatest cosine to the sample, -1..1."""
        rows = np.arange(self._seen, min(len(vectors), self._seen + _AT_ONCE), dtype=np.int64)
        self._seen += len(rows)
        if not len(rows) or not self._sample.size:
            return []
        found: list[float] = (_unit(vectors, rows) @ self._sample.T).max(axis=1).tolist()
        return found


def _unit(vectors: FloatRows, rows: IntArray) -> FloatArray:
    found = vectors[rows]
    unit: FloatArray = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), _LEAST_LENGTH)
    return unit
