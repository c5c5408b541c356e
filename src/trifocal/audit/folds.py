"""Products -> folds, so that what is judged did not teach its judge. Imports nothing from this package."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from trifocal.types import FloatArray, IntArray

__all__ = ["folds_of", "principal"]


def folds_of(groups: Sequence[str], folds: int) -> IntArray:
    """Return (N,) the fold of each product, by a hash: equal groups share a fold, whatever else the catalogue holds.

    Variants of a product carry one title; were they spread, one wrong series would vouch for itself.

    >>> found = folds_of(["Anna dress", "Birk vase", "Anna dress"], 5)
    >>> bool(found[0] == found[2])
    True
    """
    return np.array([zlib.crc32(group.encode()) % folds for group in groups], dtype=np.int64)


def principal(features: FloatArray, size: int) -> FloatArray:
    """Return (N, at most `size`) principal components of the centred unit rows of `features` (N, width).

    They see pairs of no kind, only one modality, so that no fold is needed.
    """
    unit = _unit(features - features.mean(axis=0))
    unit -= unit.mean(axis=0)
    _, vectors = np.linalg.eigh(unit.T @ unit / max(len(unit), 1))
    strongest: FloatArray = (unit @ vectors[:, ::-1][:, : min(size, len(unit))]).astype(np.float32)
    return strongest


def _unit(rows: FloatArray) -> FloatArray:
    unit: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return unit
