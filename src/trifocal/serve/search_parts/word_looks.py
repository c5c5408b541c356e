"""What words look like, learned from the catalogue itself: words -> a direction among the pictures.

Two ways, both closed forms. A term that some texts hold: the direction that tells their pictures from the others, a
linear discriminant (Fisher 1936) with a ridge. Any words at all: ridge regression from the text vectors to the
pictures. So an item whose text says nothing of stripes is found by them, when other texts name theirs.

Letters: N items, W text width, L width of the pictures' vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from trifocal.index import GrowingRows
from trifocal.serve.search_parts.apart import Along
from trifocal.types import AnyFloats, BoolArray, FloatArray, IntArray

__all__ = ["WordLooks"]

# Items that the statistics are learned from, at most; ridges as shares of the mean variance.
_LEARNED_MOST = 50_000
_RIDGE = 1.0
# A term of so many pictures counts half; of fewer than the second number, nothing.
_HALF, _LEAST = 5.0, 3
# Pictures of one term that its mean is taken over, at most.
_HOLDERS_MOST = 5_000


@dataclass(frozen=True)
class WordLooks:
    """Pictures of N items, and what words look like. A change gives another one. Stability: internal.

    Attributes:
        looks: (N, L) vectors of the pictures, zero = no picture.
        pictured: (N,) which items have one.
        mean: (L,) of the pictures.
        spread: (L, L) their covariance.
        precision: (L, L) inverse of the covariance with its ridge.
        text_mean: (W,) of the text vectors of pictured items.
        from_text: (W, L) ridge regression.
    """

    looks: GrowingRows
    pictured: BoolArray
    mean: FloatArray
    spread: FloatArray
    precision: FloatArray
    text_mean: FloatArray
    from_text: FloatArray

    @classmethod
    def learned(cls, looks: GrowingRows, text_vectors: AnyFloats) -> WordLooks | None:
        """Return what the catalogue teaches; None where fewer than two items have a picture.

        Args:
            looks: (N, L).
            text_vectors: (N, W) pooled text features.
        """
        every = looks.base
        pictured: BoolArray = np.asarray(every.any(axis=1))
        rows = np.flatnonzero(pictured)
        rows = rows[:: -(-len(rows) // _LEARNED_MOST)] if len(rows) else rows
        if len(rows) < _LEAST:
            return None
        found, texts = every[rows].astype(np.float32), text_vectors[rows].astype(np.float32)
        mean, text_mean = found.mean(axis=0), texts.mean(axis=0)
        centred, read = found - mean, texts - text_mean
        spread = centred.T @ centred / np.float32(len(rows))
        gram = read.T @ read
        from_text = np.linalg.solve(_ridged(gram), read.T @ centred) if gram.any() else np.zeros_like(read.T @ centred)
        precision = np.linalg.inv(_ridged(spread)) if spread.any() else np.zeros_like(spread)
        return cls(looks, pictured, mean, spread, precision, text_mean, from_text.astype(np.float32))

    def with_item(self, row: int, look: FloatArray | None) -> WordLooks:
        """Return the looks in which the item of `row`, which may be N, has the picture `look` (L,), or none."""
        given = np.zeros_like(self.mean) if look is None else look
        pictured = np.append(self.pictured, np.False_) if row == len(self.pictured) else self.pictured.copy()
        pictured[row] = given.any()
        return replace(self, looks=self.looks.with_row(row, given), pictured=pictured)

    def of_term(self, holders: IntArray) -> FloatArray:
        """Return (L,) the direction of a term that the items `holders` hold; zero = too few of them have pictures."""
        rows = holders[self.pictured[holders]]
        if len(rows) < _LEAST:
            return np.zeros_like(self.mean)
        some = rows[:: -(-len(rows) // _HOLDERS_MOST)]
        difference = self.looks[some].mean(axis=0) - self.mean
        found: FloatArray = self.precision @ difference * np.float32(len(rows) / (len(rows) + _HALF))
        return found

    def of_text(self, text_vector: FloatArray) -> FloatArray:
        """Return (L,) the direction of words with the text vector (W,)."""
        found: FloatArray = (text_vector - self.text_mean).astype(np.float32) @ self.from_text
        return found

    def scores(self, direction: FloatArray) -> FloatArray:
        """Return (N,) how far each picture lies in `direction`, in standard deviations; 0 = no picture, or as most."""
        scaled = self.scaled(direction)
        return self.along(Along(scaled, float(self.mean @ scaled)))

    def scaled(self, direction: FloatArray) -> FloatArray:
        """Return `direction` (L,) so long that pictures have the standard deviation 1 in it; zero = all are alike."""
        deviation = math.sqrt(max(float(direction @ self.spread @ direction), 0.0))
        if deviation < np.finfo(np.float32).tiny:
            return np.zeros_like(direction)
        return direction / np.float32(deviation)

    def along(self, along: Along) -> FloatArray:
        """Return (N,) how far each picture lies in a direction from the mean one; 0 = no picture."""
        found = self.looks.products(along.direction) - np.float32(along.middle)
        return np.where(self.pictured, found, np.float32(0)).astype(np.float32)


def _ridged(square: FloatArray) -> FloatArray:
    """Return `square` with the mean of its diagonal added to the diagonal."""
    return square + _RIDGE * float(np.trace(square)) / len(square) * np.eye(len(square), dtype=np.float32)
