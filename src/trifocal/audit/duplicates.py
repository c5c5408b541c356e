"""Pictures that are nearly the same, by perceptual hashes and confirmed by features. Arrays in, pairs out.

Two hashes of 64 bits that differ in at most three agree in one of four bands of 16 bits (the pigeonhole principle;
Norouzi et al., "Fast search in Hamming space with multi-index hashing", CVPR 2012), so that only products in one
bucket are compared, not all with all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from trifocal.types import FloatArray, IntArray

__all__ = ["hash_codes", "near_duplicates"]

_BANDS, _BITS = 4, 16
_ROWS = 512


def hash_codes(hashes: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return (N,) the hashes, written in hex, as numbers.

    >>> hash_codes(["000000000000000f"]).tolist()
    [15]
    """
    return np.array([int(code, 16) for code in hashes], dtype=np.uint64)


def near_duplicates(
    codes: npt.NDArray[np.uint64],
    features: FloatArray,
    *,
    bits: int,
    cosine: float,
    others: npt.NDArray[np.uint64] | None = None,
) -> list[tuple[int, int, float]]:
    """Return the pairs (row, later row, cosine) of pictures that are nearly the same, by row.

    Args:
        codes: (N,) perceptual hashes.
        features: (N, W) unit vectors.
        bits: by how many bits two hashes differ at most, 0..3.
        cosine: of the features, from which a pair is confirmed.
        others: (N,) another kind of hash that has to agree within four times as many bits.

    The first two differ in one bit and look alike; the third has the same hash but looks different.

    >>> codes = np.array([7, 6, 7], np.uint64)
    >>> near_duplicates(codes, np.array([[1, 0], [1, 0], [0, 1]], np.float32), bits=3, cosine=0.9)
    [(0, 1, 1.0)]
    """
    found: dict[tuple[int, int], float] = {}
    for bucket in _buckets(codes):
        for first, second in _close(codes, bucket, bits):
            if others is not None:
                near = np.bitwise_count(others[first] ^ others[second]) <= 4 * max(bits, 1)
                first, second = first[near], second[near]
            alike = (features[first] * features[second]).sum(axis=1)
            kept = alike >= cosine
            pairs = zip(first[kept].tolist(), second[kept].tolist(), alike[kept].tolist(), strict=True)
            found |= {(a, b): float(value) for a, b, value in pairs}
    return [(a, b, value) for (a, b), value in sorted(found.items())]


def _buckets(codes: npt.NDArray[np.uint64]) -> Iterator[IntArray]:
    """Rows that agree in a band, rising; buckets of one are left out."""
    for band in range(_BANDS):
        values = (codes >> np.uint64(band * _BITS)) & np.uint64((1 << _BITS) - 1)
        order = np.argsort(values, kind="stable").astype(np.int64)
        starts = np.flatnonzero(np.diff(values[order])) + 1
        yield from (part for part in np.split(order, starts) if len(part) > 1)


def _close(codes: npt.NDArray[np.uint64], bucket: IntArray, bits: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs of the bucket whose hashes differ by at most `bits`, some rows at a time."""
    for start in range(0, len(bucket), _ROWS):
        rows = bucket[start : start + _ROWS]
        near = np.bitwise_count(codes[rows][:, None] ^ codes[bucket][None]) <= bits
        near &= rows[:, None] < bucket[None]
        first, second = np.nonzero(near)
        yield rows[first], bucket[second]
