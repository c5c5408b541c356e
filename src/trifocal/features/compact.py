"""Pooled token features -> small unit vectors whose cosine says how alike two items read or look.

Source: principal components of the centred features; on fashion, the cosine of centred MiniLM and EfficientNet
features is by itself a strong content-based neighbour model (PROTOCOL: text kNN).
"""

from __future__ import annotations

import numpy as np

from trifocal.types import FloatArray

__all__ = ["compact_vectors"]


def compact_vectors(features: FloatArray, size: int) -> FloatArray:
    """Return (N, size) unit vectors whose cosines are those of the centred `features` (N, width), nearly.

    Args:
        features: rows of zeros mark items without the modality; they stay zero.
        size: columns kept; zero-filled where there are fewer components.
    """
    present = np.abs(features).sum(axis=1) > 0
    result = np.zeros((len(features), size), dtype=np.float32)
    if not present.any():
        return result
    centred = features[present] - features[present].mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    _, components = np.linalg.eigh(centred.T @ centred)
    projected = centred @ components[:, ::-1][:, :size]
    projected /= np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-6)
    result[present, : projected.shape[1]] = projected
    return result
