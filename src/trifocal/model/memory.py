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

from trifocal.features.likeness import likeness_kernel, symmetric_inverse
from trifocal.types import FloatArray, IntArray

__all__ = ["ItemMemory", "Precision", "fit_precision"]


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

    def links_of(self, rows: IntArray) -> tuple[IntArray, FloatArray]:
        """Return (C,) linked items and (C,) strengths of all links from the distinct items `rows`, one after another.

        Items past those of the memory have no links.
        """
        known = rows[rows < len(self.starts) - 1]
        spans = [slice(start, end) for start, end in zip(self.starts[known], self.starts[known + 1], strict=True)]
        if not spans:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        return (
            np.concatenate([self.items[span] for span in spans]),
            np.concatenate([self.strengths[span] for span in spans]),
        )

    @cached_property
    def _matrix(self) -> csr_matrix:
        """Built once: the check of its indices reads every link, which has no place in a request."""
        size = len(self.starts) - 1
        return csr_matrix((self.strengths, self.items, self.starts), shape=(size, size))


@dataclass(frozen=True)
class Precision:
    """`P = (X'X + kernels + lambda I)^-1` of the covered items: the memory, and what it would be without one user.

    Attributes:
        inverse: P, (M, M) float32.
        rows: (M,) catalogue rows of the covered items, rising.
        n_items: N.
    """

    inverse: FloatArray
    rows: IntArray
    n_items: int

    def memory(self, links: int) -> ItemMemory:
        """Return the `links` strongest links of each covered item, `-P_ij / P_jj`."""
        weights = -self.inverse / self._diagonal
        np.fill_diagonal(weights, 0.0)
        links = min(links, len(self.rows) - 1)
        kept = np.sort(np.argpartition(-np.abs(weights), links - 1, axis=1)[:, :links], axis=1)
        lengths = np.zeros(self.n_items, dtype=np.int64)
        lengths[self.rows] = links
        return ItemMemory(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            self.rows[kept].ravel().astype(np.int64),
            np.take_along_axis(weights, kept, axis=1).ravel().astype(np.float32),
        )

    def scores_without(self, taken: IntArray, kept: IntArray, asked: IntArray) -> FloatArray:
        """Return (N,) scores from the items `asked`, had the user who took `taken` only taken `kept`.

        Exact and without solving anew: taking a row x out of X changes the inverse by `v v' / (1 - x'v)`, v = P x, and
        putting the row h in by `-w w' / (1 + h'w)`, w = P_x h (Sherman & Morrison, 1950). So what a ranker learns from
        is no better informed than what it will be given.

        Args:
            taken: distinct rows, the user's whole row of X.
            kept: distinct rows, a part of `taken`.
            asked: distinct rows, a part of `kept`.
        """
        places = [self._places[rows] for rows in (taken, kept, asked)]
        whole, part, summed = (found[found >= 0] for found in places)
        inverse = self.inverse
        out = inverse[whole].sum(axis=0)
        out_norm = 1 - out[whole].sum()
        back = inverse[part].sum(axis=0) + out * (out[part].sum() / out_norm)
        back_norm = 1 + back[part].sum()
        row = inverse[summed].sum(axis=0) + out * (out[summed].sum() / out_norm)
        row -= back * (back[summed].sum() / back_norm)
        diagonal = self._diagonal + out**2 / out_norm - back**2 / back_norm
        scores = np.zeros(self.n_items, dtype=np.float32)
        scores[self.rows] = -row / diagonal
        # An item says nothing about itself.
        scores[asked] = 0.0
        return scores

    @cached_property
    def _diagonal(self) -> FloatArray:
        return np.diag(self.inverse).copy()

    @cached_property
    def _places(self) -> IntArray:
        places = np.full(self.n_items, -1, dtype=np.int64)
        places[self.rows] = np.arange(len(self.rows))
        return places


def fit_precision(
    interactions: csr_matrix,
    contents: Sequence[tuple[FloatArray, float]],
    *,
    regularization: float,
    items: int,
) -> Precision:
    """Return the precision of `interactions`.

    Args:
        interactions: (users, N) binary.
        contents: pooled features (N, width) and weight of each modality; an item that nobody took is linked by
            content alone.
        regularization: lambda.
        items: M, the most popular items are covered; the solution takes M^2 memory and M^3 time.
    """
    counts = np.asarray(interactions.sum(axis=0)).ravel()
    rows = np.sort(np.argsort(-counts, kind="stable")[:items])
    covered = interactions[:, rows]
    gram: npt.NDArray[np.float64] = (covered.T @ covered).toarray().astype(np.float64)
    for features, weight in contents:
        gram += weight * likeness_kernel(features[rows])
    gram[np.diag_indices(len(gram))] += regularization
    return Precision(symmetric_inverse(gram).astype(np.float32), rows, interactions.shape[1])
