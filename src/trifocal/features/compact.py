"""Pooled token features -> small unit vectors whose cosine says how alike two items read or look.

Source: principal components of the centred features; on fashion, the cosine of centred MiniLM and EfficientNet
features is by itself a strong content-based neighbour model (PROTOCOL: text kNN).

Letters: N items, W width of the features, S compact size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.types import FloatArray

__all__ = ["CompactProjection", "compact_vectors", "fit_compact"]


@dataclass(frozen=True)
class CompactProjection:
    """What was fitted on a catalogue: with it, what comes later is made comparable. Stability: caller.

    Attributes:
        mean: (W,) of the items that have the modality.
        components: (W, S) principal components, the strongest first; zero-filled where there are fewer.
    """

    mean: FloatArray
    components: FloatArray

    def vectors(self, features: FloatArray) -> FloatArray:
        """Return (N, S) unit vectors of `features` (N, W); rows of zeros, without the modality, stay zero."""
        present = np.abs(features).sum(axis=1) > 0
        result = np.zeros((len(features), self.components.shape[1]), dtype=np.float32)
        result[present] = _unit(_unit(features[present] - self.mean) @ self.components)
        return result


def fit_compact(features: FloatArray, size: int) -> CompactProjection:
    """Return the projection of `features` (N, W) to `size` columns; rows of zeros mark items without the modality."""
    width = features.shape[1]
    components = np.zeros((width, size), dtype=np.float32)
    present = np.abs(features).sum(axis=1) > 0
    if not present.any():
        return CompactProjection(np.zeros(width, dtype=np.float32), components)
    mean: FloatArray = features[present].mean(axis=0)
    centred = _unit(features[present] - mean)
    _, found = np.linalg.eigh(centred.T @ centred)
    strongest = found[:, ::-1][:, :size]
    components[:, : strongest.shape[1]] = strongest
    return CompactProjection(mean, components)


def compact_vectors(features: FloatArray, size: int) -> FloatArray:
    """Return (N, size) unit vectors whose cosines are those of the centred `features` (N, width), nearly.

    Args:
        features: rows of zeros mark items without the modality; they stay zero.
        size: columns kept; zero-filled where there are fewer components.
    """
    return fit_compact(features, size).vectors(features)


def _unit(rows: FloatArray) -> FloatArray:
    unit: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return unit
