"""How unlike each other the items of a list are, by their vectors: pictures, texts, whatever the caller has.

Letters: B lists, K their length, N items, W width of a vector.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trifocal.types import FloatArray, IntArray

__all__ = ["intra_list_diversity"]

# Values of the gathered vectors: 4 Mi float64 are 32 MiB.
_VALUES_AT_ONCE = 4 * 1024 * 1024


def intra_list_diversity(item_rows: IntArray, vectors: FloatArray, places: int = 20) -> npt.NDArray[np.float64]:
    """Return the mean of 1 - cosine over all pairs among the first `places` items of each list (B,): 0 alike, to 2.

    Source: Ziegler, McNee, Konstan, Lausen, "Improving recommendation lists through topic diversification", WWW 2005,
    whose intra-list similarity is a sum over pairs; the mean distance as in Zhang, Hurley, RecSys 2008.
    An item with a zero vector (no picture, no text) has no direction and is left out, as is the filler -1; a list with
    fewer than two items left is nan.

    Three vectors, right, up and left: (1 + 1 + 2) / 3 = 4 / 3. Right and left alone: 2.

    >>> vectors = np.array([[2, 0], [0, 1], [-1, 0]], np.float32)
    >>> intra_list_diversity(np.array([[0, 1, 2], [0, 2, -1], [1, -1, -1]]), vectors).round(4).tolist()
    [1.3333, 2.0, nan]

    Args:
        item_rows: (B, K) lists, best first; -1 fills up.
        vectors: (N, W) float; may be memory-mapped.
        places: how many from the front count.
    """
    first = item_rows[:, :places]
    step = max(_VALUES_AT_ONCE // max(first.shape[1] * vectors.shape[1], 1), 1)
    blocks = [_block(first[start : start + step], vectors) for start in range(0, len(first), step)]
    return np.concatenate([np.zeros(0), *blocks])


def _block(item_rows: IntArray, vectors: FloatArray) -> npt.NDArray[np.float64]:
    units = np.where((item_rows >= 0)[:, :, None], vectors[item_rows], 0.0).astype(np.float64)
    lengths = np.linalg.norm(units, axis=2, keepdims=True)
    np.divide(units, lengths, out=units, where=lengths > 0)
    counted = (lengths > 0).sum(axis=(1, 2))
    # The squared length of the sum holds each pair's cosine twice, and 1 for each item with itself.
    cosines = np.square(units.sum(axis=1)).sum(axis=1) - counted
    pairs = counted * (counted - 1)
    mean = np.divide(cosines, pairs, out=np.full(len(units), np.nan), where=pairs > 0)
    diversity: npt.NDArray[np.float64] = 1 - mean
    return diversity
