"""Which items are linked to which: by being taken together, by reading and looking alike. Arrays in, arrays out.

Letters: M items, U users.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from trifocal.types import FloatArray

__all__ = ["KERNEL_POWER", "likeness_kernel", "linear_links"]

KERNEL_POWER = 4
"""Sharpens the kernel: only near neighbours count (measured on fashion; docs/log.md)."""


def likeness_kernel(features: FloatArray, power: float = KERNEL_POWER) -> npt.NDArray[np.float64]:
    """Return (M, M): clipped cosine of the centred rows of `features` (M, width) to the `power`, 0 on the diagonal.

    Rows of zeros mark items without the modality; they are like nothing.

    >>> likeness_kernel(np.array([[1.0, 0.0], [1.0, 0.0], [-2.0, 0.0]], np.float32), 2).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    present = np.abs(features).sum(axis=1) > 0
    centred = np.zeros(features.shape, dtype=np.float64)
    if present.any():
        centred[present] = features[present] - features[present].mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    kernel: npt.NDArray[np.float64] = np.clip(unit @ unit.T, 0.0, None) ** power
    np.fill_diagonal(kernel, 0.0)
    return kernel


def linear_links(
    interactions: csr_matrix,
    *,
    regularization: float,
    kernels: Sequence[npt.NDArray[np.float64]] = (),
    content_weight: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Return the links (M, M) of EASE: column j predicts item j from all other items, in closed form.

    `B = -P / diag(P)` off the diagonal, 0 on it, with `P = (X'X + w (K_1 + K_2 ...) + lambda I)^-1`. Source: Steck,
    "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8; the kernels K are ours.

    Args:
        interactions: X, (U, M) binary.
        regularization: lambda, above 0.
        kernels: K, (M, M) each.
        content_weight: w; links an item that nobody took by content alone.

    Two items, taken together once, lambda 1: X'X + I = [[2, 1], [1, 2]], its inverse is [[2, -1], [-1, 2]] / 3.

    >>> linear_links(csr_matrix(np.ones((1, 2), np.float32)), regularization=1.0).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    gram = (interactions.T @ interactions).toarray().astype(np.float64)
    for kernel in kernels:
        gram += content_weight * kernel
    gram[np.diag_indices(len(gram))] += regularization
    inverse = np.linalg.inv(gram)
    links: npt.NDArray[np.float64] = -inverse / np.diag(inverse)
    np.fill_diagonal(links, 0.0)
    return links
