"""Knowledge of a few items by chance, for tests of the second stage."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from trifocal.model.evidence import EvidenceTables
from trifocal.model.memory import fit_precision
from trifocal.model.two_stage import Knowledge
from trifocal.types import FloatArray, IntArray


def unit(rows: FloatArray) -> FloatArray:
    found: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def small_tables(taken: FloatArray, attributes: IntArray, *, devices: int = 2, seed: int = 0) -> EvidenceTables:
    """Tables of `taken` (users, N), each event on a device and at a time by chance."""
    generator = np.random.default_rng(seed)
    n_items = taken.shape[1]
    counts = taken.sum(axis=0)
    both = coo_matrix(taken.T @ taken - np.diag(counts))
    order = np.argsort(both.row * n_items + both.col)
    device_counts = np.stack([generator.binomial(counts.astype(int), 0.5) for _ in range(devices + 1)], axis=1)
    return EvidenceTables(
        text=unit(generator.normal(size=(n_items, 5)).astype(np.float32)),
        image=unit(generator.normal(size=(n_items, 5)).astype(np.float32)),
        attributes=attributes,
        counts=counts.astype(np.float32),
        device_counts=device_counts.astype(np.float32),
        newest_counts=generator.binomial(counts.astype(int), 0.2).astype(np.float32),
        pairs=(both.row.astype(np.int64) * n_items + both.col)[order],
        pair_counts=both.data[order].astype(np.float32),
        newest_from_s=np.array([1_000], np.int64),
    )


def small_knowledge(n_items: int, size: int, attribute_sizes: tuple[int, ...], seed: int = 0) -> Knowledge:
    """Vectors (N, `size`), tables and memory of thirty users who took a quarter of the items; the last item nobody."""
    generator = np.random.default_rng(seed)
    taken = (generator.random((30, n_items)) < 0.25).astype(np.float32)
    taken[:, -1] = 0
    attributes = np.stack([generator.integers(0, most, n_items) for most in attribute_sizes], axis=1)
    vectors = generator.normal(size=(n_items, size)).astype(np.float32)
    precision = fit_precision(csr_matrix(taken), [(vectors, 1.0)], regularization=5.0, items=n_items - 2)
    return Knowledge(vectors, small_tables(taken, attributes, seed=seed), precision.memory(n_items))
