"""Linear item-item memory: what is taken together, and what reads and looks alike, in closed form. The wide half.

The links are those of `trifocal.features.likeness.linear_links`; memory beside generalisation: Cheng et al., Wide &
Deep, 2016. Letters: B requests, N items, M items that memory covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from trifocal.features.likeness import likeness_kernel, linear_links
from trifocal.types import FloatArray, IntArray

__all__ = ["ItemMemory", "fit_memory"]


@dataclass(frozen=True)
class ItemMemory:
    """For each item its strongest links, as sparse rows. Stability: caller.

    Attributes:
        starts: (N + 1,) int64, where each item's links begin.
        items: (links,) int64, the linked items.
        strengths: (links,) float32.
    """

    starts: IntArray
    items: IntArray
    strengths: FloatArray

    def scores(self, histories: Sequence[IntArray]) -> FloatArray:
        """Return (B, N): for each item the sum of its links from the distinct items of each history."""
        links = self._matrix
        distinct = [np.unique(rows) for rows in histories]
        starts = np.concatenate([[0], np.cumsum([len(rows) for rows in distinct])])
        columns = np.concatenate([*distinct, np.zeros(0, np.int64)])
        taken = csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(len(distinct), links.shape[0]))
        found: FloatArray = (taken @ links).toarray()
        return found

    @cached_property
    def _matrix(self) -> csr_matrix:
        """Built once: the check of its indices reads every link, which has no place in a request."""
        size = len(self.starts) - 1
        return csr_matrix((self.strengths, self.items, self.starts), shape=(size, size))


def fit_memory(
    interactions: csr_matrix,
    contents: Sequence[FloatArray],
    *,
    regularization: float,
    content_weight: float,
    items: int,
    links: int,
) -> ItemMemory:
    """Return the memory of `interactions`.

    Args:
        interactions: (users, N) binary.
        contents: pooled features (N, width) of each modality that may be used.
        regularization: lambda.
        content_weight: w; an item that nobody took is linked by content alone.
        items: M, the most popular items are covered; the solution takes M^2 memory and M^3 time.
        links: strongest links kept of an item.
    """
    n_items = interactions.shape[1]
    counts = np.asarray(interactions.sum(axis=0)).ravel()
    rows = np.sort(np.argsort(-counts, kind="stable")[:items])
    covered = interactions[:, rows]
    kernels = [likeness_kernel(features[rows]) for features in contents]
    weights = linear_links(covered, regularization=regularization, kernels=kernels, content_weight=content_weight)
    return _strongest(weights, rows, n_items, min(links, len(rows) - 1))


def _strongest(weights: npt.NDArray[np.float64], rows: IntArray, n_items: int, links: int) -> ItemMemory:
    kept = np.sort(np.argpartition(-np.abs(weights), links - 1, axis=1)[:, :links], axis=1)
    lengths = np.zeros(n_items, dtype=np.int64)
    lengths[rows] = links
    return ItemMemory(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        rows[kept].ravel().astype(np.int64),
        np.take_along_axis(weights, kept, axis=1).ravel().astype(np.float32),
    )
