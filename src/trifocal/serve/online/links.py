"""Links between items: those of the memory, and those by likeness alone of items that it does not know.

An item that nobody took yet is linked with what reads and looks like it. Its likeness to item i is
`s_i = (w_text K_text + w_image K_image) / (w_text + w_image)`, with the memory's kernels K and the weights of what both
have, 1 for a copy; and whoever took i is led to it `s_i` times as strongly as to what i is linked with most. The
memory's own closed form would give such a link `w s_i / (n_i + lambda)`, which on the sample shop is a tenth of that:
too little for a new item ever to be shown (docs/decisions/0018-live-items.md).

Letters: N items, C links.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from trifocal.features.likeness import KERNEL_POWER
from trifocal.model.memory import ItemMemory
from trifocal.types import FloatArray, IntArray

__all__ = ["GrownLinks", "LikenessWeights", "Links", "memory_of"]

# Nearest items that a new one is linked with.
_NEIGHBOURS = 50


@dataclass(frozen=True)
class LikenessWeights:
    """What the memory was made with.

    Attributes:
        text: weight of likeness in words.
        image: weight of likeness in looks.
    """

    text: float
    image: float

    def likeness(self, text_cosines: FloatArray, image_cosines: FloatArray) -> FloatArray:
        """Return (N,) in 0..1, s above, from the cosines (N,) of the compact vectors; all 0 = without that modality."""
        total = self.text * bool(text_cosines.any()) + self.image * bool(image_cosines.any())
        text, image = (np.maximum(cosines, 0) ** KERNEL_POWER for cosines in (text_cosines, image_cosines))
        found: FloatArray = ((self.text * text + self.image * image) / max(total, 1e-9)).astype(np.float32)
        return found


@dataclass(frozen=True)
class GrownLinks:
    """The memory's links, and those of items that joined. Never changes. Stability: internal.

    Attributes:
        memory: as it was trained.
        joined: links from and to the items that joined, of all N items.
    """

    memory: ItemMemory
    joined: ItemMemory

    @classmethod
    def of(cls, memory: ItemMemory | GrownLinks) -> GrownLinks:
        """Return `memory`, ready to grow."""
        if isinstance(memory, GrownLinks):
            return memory
        none = np.zeros(0, np.int64)
        return cls(memory, ItemMemory(np.zeros(1, np.int64), none, np.zeros(0, np.float32)))

    def links_of(self, rows: IntArray) -> tuple[IntArray, FloatArray]:
        """Return (C,) linked items and (C,) strengths of all links from the distinct items `rows`."""
        (items, strengths), (others, weights) = self.memory.links_of(rows), self.joined.links_of(rows)
        return np.concatenate([items, others]), np.concatenate([strengths, weights])

    def with_item(self, row: int, likeness: FloatArray) -> GrownLinks:
        """Return the links in which `row` is linked with its nearest items, and with no others.

        Args:
            row: of the new item.
            likeness: (N,) to each item, s above; that to itself does not count.
        """
        near = np.argpartition(-likeness, min(_NEIGHBOURS, len(likeness) - 1))[: _NEIGHBOURS + 1]
        near = near[(likeness[near] > 0) & (near != row)]
        weights = likeness[near] * np.array([self._strongest(item) for item in near.tolist()], np.float32)
        itself = np.full(len(near), row, dtype=np.int64)
        before, targets = self._sources(), self.joined.items
        kept = (before != row) & (targets != row)
        sources = np.concatenate([before[kept], near, itself])
        order = np.argsort(sources, kind="stable")
        strengths = np.concatenate([self.joined.strengths[kept], weights, weights])
        starts = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=len(likeness)))])
        joined = ItemMemory(
            starts.astype(np.int64),
            np.concatenate([targets[kept], itself, near])[order],
            strengths[order].astype(np.float32),
        )
        return GrownLinks(self.memory, joined)

    def _strongest(self, row: int) -> float:
        """The strongest link that the memory knows of an item; of one that it does not know, that of none."""
        return float(self.memory.links_of(np.array([row]))[1].max(initial=0.0))

    def _sources(self) -> IntArray:
        """The item that each of the joined links begins at."""
        starts = self.joined.starts
        return np.repeat(np.arange(len(starts) - 1), np.diff(starts)).astype(np.int64)


Links = ItemMemory | GrownLinks
"""Items -> what they are linked to."""


def memory_of(links: Links, items: int) -> ItemMemory:
    """Return `links` as one memory of `items`; a copy where some joined, so nothing for a request."""
    parts = (links.memory, links.joined) if isinstance(links, GrownLinks) else (links,)
    if len(parts) == 1 and len(parts[0].starts) == items + 1:
        return parts[0]
    found, *others = (_matrix(part, items) for part in parts)
    for other in others:
        found = found + other
    return ItemMemory(found.indptr.astype(np.int64), found.indices.astype(np.int64), found.data)


def _matrix(memory: ItemMemory, items: int) -> csr_matrix:
    """(N, N): an item past those of the memory has no links."""
    starts = np.pad(memory.starts, (0, items + 1 - len(memory.starts)), mode="edge")
    return csr_matrix((memory.strengths, memory.items, starts), shape=(items, items))
