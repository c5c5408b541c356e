"""Retrieval and ranking of a model that take items while they answer: a change gives others, these stay as they are.

Letters: N items, S compact size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from trifocal.index import GrowingRows, LiveIndex
from trifocal.ports import Index
from trifocal.serve.online.item_features import ItemFeatures
from trifocal.serve.online.links import GrownLinks, LikenessWeights, Links
from trifocal.serve.online.ranking import EvidenceRanking
from trifocal.serve.online.retrieval import TwoSourceRetrieval
from trifocal.types import FloatArray, FloatRows

__all__ = ["Growth", "products", "with_value"]

_Kind = TypeVar("_Kind", bound=np.generic)


@dataclass(frozen=True)
class Growth:
    """The parts of which an engine's services are made. Never changes. Stability: internal.

    Attributes:
        retrieval: over `index` and `links`.
        ranking: over the evidence of the same items.
        index: of the item vectors.
        vectors: (N, D).
        links: between items, or None = the deep score retrieves alone.
        weights: by which items are linked that the memory does not know.
        trained: rows below this are of items that the model was trained with.
    """

    retrieval: TwoSourceRetrieval
    ranking: EvidenceRanking
    index: Index
    vectors: FloatRows
    links: Links | None
    weights: LikenessWeights
    trained: int

    def with_item(self, row: int, features: ItemFeatures) -> Growth:
        """Return the parts with an item behind all others, or in place of the one of `row`.

        An item that was trained keeps what is known of it: its counts, and its links. Of one that was not, the ranker
        is told what may be expected: that it is taken as often as the item most alike, by the share of the likeness.
        """
        tables, is_new = self.ranking.tables, row == len(self.vectors)
        text = GrowingRows.of(tables.text).with_row(row, features.compact_text)
        image = GrowingRows.of(tables.image).with_row(row, features.compact_image)
        links, nearest, share = self.links, 0, 0.0
        if row >= self.trained:
            cosines = text.products(features.compact_text), image.products(features.compact_image)
            likeness = self.weights.likeness(*cosines)
            likeness[self.trained :] = 0
            nearest = int(likeness.argmax())
            share = float(likeness[nearest])
            links = None if links is None else GrownLinks.of(links).with_item(row, likeness)
        counts, newest, devices = (
            table if row < self.trained else _with_share(table, row, nearest, share)
            for table in (tables.counts, tables.newest_counts, tables.device_counts)
        )
        attributes = np.empty((len(counts), tables.attributes.shape[1]), np.int64)
        attributes[: len(tables.attributes)] = tables.attributes
        attributes[row] = features.attributes
        tables = tables.grown(
            text=text, image=image, attributes=attributes, counts=counts, device_counts=devices, newest_counts=newest
        )
        index = _snapshot(self.index, len(features.vector))
        if is_new:
            index.add(features.vector[None])
        else:
            index.replace(row, features.vector)
        vectors = GrowingRows.of(self.vectors).with_row(row, features.vector)
        return self._with(index, vectors, links, self.ranking.grown(tables, self.retrieval))

    def without(self, row: int) -> Growth:
        """Return the parts in which no search finds `row`; what is known of it stays, for histories that hold it."""
        index = _snapshot(self.index, self.vectors[np.array([0])].shape[1])
        index.remove(np.array([row]))
        return self._with(index, self.vectors, self.links, self.ranking)

    def _with(self, index: Index, vectors: FloatRows, links: Links | None, ranking: EvidenceRanking) -> Growth:
        counts = ranking.tables.counts
        retrieval = self.retrieval.grown(vectors=vectors, index=index, memory=links, counts=counts)
        ranking = ranking.grown(ranking.tables, retrieval)
        return replace(self, retrieval=retrieval, ranking=ranking, index=index, vectors=vectors, links=links)


def products(rows: FloatRows, vector: FloatArray) -> FloatArray:
    """Return (N,): the inner product of each of `rows` (N, D) with `vector` (D,)."""
    if isinstance(rows, GrowingRows):
        return rows.products(vector)
    found: FloatArray = rows[np.arange(len(rows))] @ vector if not isinstance(rows, np.ndarray) else rows @ vector
    return found


def with_value(values: npt.NDArray[_Kind], row: int, value: float) -> npt.NDArray[_Kind]:
    """Return a copy of `values` (N,) with `value` at `row`, which may be N."""
    changed = np.empty(max(len(values), row + 1), dtype=values.dtype)
    changed[: len(values)] = values
    changed[row] = value
    return changed


def _with_share(table: FloatArray, row: int, nearest: int, share: float) -> FloatArray:
    """Return a copy of `table` (N, ...) with `share` times the line of `nearest` at `row`, which may be N."""
    changed = np.empty((max(len(table), row + 1), *table.shape[1:]), dtype=table.dtype)
    changed[: len(table)] = table
    changed[row] = np.float32(share) * table[nearest]
    return changed


def _snapshot(index: Index, width: int) -> LiveIndex:
    return index.snapshot() if isinstance(index, LiveIndex) else LiveIndex(index, width=width)
