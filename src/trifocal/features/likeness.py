"""Which items are linked to which: by being taken together, by reading and looking alike. Arrays in, arrays out.

Letters: M items, U users.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_matrix

from trifocal.types import FloatArray

__all__ = ["KERNEL_POWER", "likeness_kernel", "linear_links", "symmetric_inverse"]

KERNEL_POWER = 4
"""Sharpens the kernel: only near neighbours count (measured on fashion; docs/log.md)."""

_SINGLE_PRECISION = 4096


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

    >>> linear_links(csr_matrix(np.ones((1, 2), np.float32)), regularization=1.0).round(9).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    gram = (interactions.T @ interactions).toarray().astype(np.float64)
    for kernel in kernels:
        gram += content_weight * kernel
    gram[np.diag_indices(len(gram))] += regularization
    inverse = symmetric_inverse(gram)
    links: npt.NDArray[np.float64] = -inverse / np.diag(inverse)
    np.fill_diagonal(links, 0.0)
    return links


def symmetric_inverse(gram: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the inverse of a symmetric matrix (M, M), by Cholesky where it is positive definite.

    Past `_SINGLE_PRECISION` rows the factors are of single precision: six times as fast as a general inverse, and with
    a diagonal of lambda and more the error stays below 1e-5 of the greatest entry.

    >>> symmetric_inverse(np.array([[2.0, 1.0], [1.0, 2.0]])).round(6).tolist()  # [[2, -1], [-1, 2]] / 3
    [[0.666667, -0.333333], [-0.333333, 0.666667]]
    """
    single = len(gram) > _SINGLE_PRECISION
    factorise, invert = (lapack.spotrf, lapack.spotri) if single else (lapack.dpotrf, lapack.dpotri)
    # A symmetric matrix is its own transpose: LAPACK's column order costs no copy.
    factor, failed = factorise(gram.T.astype(np.float32) if single else gram.T, lower=1)
    if failed:
        return np.asarray(np.linalg.inv(gram))
    lower, _ = invert(factor, lower=1)
    half = np.tril(lower, -1)
    return np.asarray(half + half.T + np.diag(np.diag(lower)), dtype=np.float64)
