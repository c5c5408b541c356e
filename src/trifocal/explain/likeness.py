"""Compact vectors of text and picture by gates, and their likeness to a history as columns of the evidence.

Letters: S = steps * K states, K items, P text tokens or image cells, W width, C compact size, L events of the history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trifocal.features.compact import CompactProjection
from trifocal.types import AnyFloats, FloatArray, FloatRows, IntArray

__all__ = ["CompactParts", "compact_of", "likeness_columns", "recovered_projection"]

# Keeps the least squares solvable where features repeat one another.
_RIDGE = 1e-4


@dataclass(frozen=True)
class CompactParts:
    """What each token or cell adds to the compact vectors of K items.

    A compact vector is a unit vector of what the mean token is beyond the catalogue's mean. Its length is held at that
    of the whole item, for what is left of it would be blown up to a unit vector again down to the last bit, and there
    would be no way to nothing. So the way ends at the zero vector, which is how the tables say "no text".

    Attributes:
        parts: (K, P, C); their sum over P is the compact vector.
    """

    parts: Tensor

    @classmethod
    def of(cls, tokens: Tensor, mask: Tensor, projection: CompactProjection) -> CompactParts:
        """Return the parts of `tokens` (K, P, W), `mask` (K, P) True = present."""
        mean, components = torch.from_numpy(projection.mean), torch.from_numpy(projection.components)
        share = mask[..., None] / mask.sum(dim=1).clamp(min=1)[:, None, None]
        beyond = (tokens - mean) * share  # (K, P, W)
        length = beyond.sum(dim=1).norm(dim=1).clamp(min=1e-6)[:, None, None]
        parts = beyond / length @ components
        whole = parts.sum(dim=1).norm(dim=1).clamp(min=1e-6)[:, None, None]
        return cls(parts / whole)

    @classmethod
    def even(cls, vectors: Tensor, mask: Tensor) -> CompactParts:
        """Return equal parts of known `vectors` (K, C): where nothing says how they came from the tokens."""
        share = mask[..., None] / mask.sum(dim=1).clamp(min=1)[:, None, None]
        return cls(vectors[:, None] * share)

    def at(self, gates: Tensor) -> Tensor:
        """Return the (S, C) compact vectors by gates (S, P)."""
        steps = gates.reshape(-1, *self.parts.shape[:2])
        return torch.einsum("skp,kpc->skc", steps, self.parts).flatten(0, 1)


def likeness_columns(vectors: Tensor, history: Tensor) -> Tensor:
    """Return (S, 4) of compact `vectors` (S, C) and those of the `history` (L, C), L at least 1.

    Cosine to the most alike, summed and mean sharpened cosine, cosine to the newest, as in `trifocal.model.evidence`;
    here with a gradient.
    """
    cosines = (vectors @ history.T).clamp(min=0)
    sharp = cosines.square().square()
    return torch.stack([cosines.amax(dim=1), sharp.sum(dim=1), sharp.mean(dim=1), cosines[:, -1]], dim=1)


def recovered_projection(pooled: AnyFloats, table: AnyFloats) -> CompactProjection:
    """Return the projection that made the compact vectors `table` (N, C) of `pooled` features (N, W), nearly.

    By least squares, for bundles that do not carry theirs. Rows of zeros mark items without the modality.
    """
    features, known = np.asarray(pooled, np.float32), np.asarray(table, np.float32)
    present = (np.abs(features).sum(axis=1) > 0) & (np.abs(known).sum(axis=1) > 0)
    if not present.any():
        return CompactProjection(
            np.zeros(features.shape[1], np.float32), np.zeros((features.shape[1], known.shape[1]), np.float32)
        )
    mean: FloatArray = features[present].mean(axis=0)
    beyond = features[present] - mean
    beyond /= np.maximum(np.linalg.norm(beyond, axis=1, keepdims=True), 1e-6)
    gram = beyond.T @ beyond
    # Where all features are alike, nothing is recovered but nothing fails either.
    gram[np.diag_indices(len(gram))] += _RIDGE * max(float(np.trace(gram)) / len(gram), 1e-9)
    return CompactProjection(mean, np.linalg.solve(gram, beyond.T @ known[present]).astype(np.float32))


def compact_of(table: FloatRows, rows: IntArray) -> Tensor:
    """Return the vectors of `rows` in `table` as float32."""
    return torch.from_numpy(np.asarray(table[rows], dtype=np.float32))
