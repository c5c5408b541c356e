"""Links between items: those of the memory, and those by likeness alone of items that it does not know.

An item that nobody took yet is linked to what reads and looks like it, as strongly as the memory would: for a new item
j with the kernel `g_i = w_text K_text(i, j) + w_image K_image(i, j)` the memory's closed form gives the link
`i -> j = (P g)_i`, and with the diagonal of `P^-1` for the whole of it, `g_i / (n_i + lambda)`, n_i users of item i.

Letters: N items, C links.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trifocal.features.likeness import KERNEL_POWER
from trifocal.model.memory import ItemMemory
from trifocal.types import FloatArray, IntArray

__all__ = ["GrownLinks", "LikenessWeights", "Links"]

# Nearest items that a new one is linked with.
_NEIGHBOURS = 50


@dataclass(frozen=True)
class LikenessWeights:
    """What the memory was made with.

    Attributes:
        text: weight of likeness in words.
        image: weight of likeness in looks.
        regularization: lambda.
    """

    text: float
    image: float
    regularization: float

    def kernel(self, text_cosines: FloatArray, image_cosines: FloatArray) -> FloatArray:
        """Return (N,) g: the sharpened likenesses, weighted."""
        text = np.maximum(text_cosines, 0).astype(np.float32) ** KERNEL_POWER
        image = np.maximum(image_cosines, 0).astype(np.float32) ** KERNEL_POWER
        found: FloatArray = np.float32(self.text) * text + np.float32(self.image) * image
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

    def with_item(self, row: int, kernel: FloatArray, counts: FloatArray, regularization: float) -> GrownLinks:
        """Return the links in which `row` is linked with its nearest items, and with no others.

        Args:
            row: of the new item.
            kernel: (N,) its likeness to each item, g above; that to itself does not count.
            counts: (N,) users an item has.
            regularization: lambda.
        """
        near = np.argpartition(-kernel, min(_NEIGHBOURS, len(kernel) - 1))[: _NEIGHBOURS + 1]
        near = near[(kernel[near] > 0) & (near != row)]
        weights, itself = kernel[near], np.full(len(near), row, dtype=np.int64)
        before, targets = self._sources(), self.joined.items
        kept = (before != row) & (targets != row)
        sources = np.concatenate([before[kept], near, itself])
        order = np.argsort(sources, kind="stable")
        there, back = weights / (counts[near] + regularization), weights / (counts[row] + regularization)
        strengths = np.concatenate([self.joined.strengths[kept], there, back])
        starts = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=len(counts)))])
        joined = ItemMemory(
            starts.astype(np.int64),
            np.concatenate([targets[kept], itself, near])[order],
            strengths[order].astype(np.float32),
        )
        return GrownLinks(self.memory, joined)

    def _sources(self) -> IntArray:
        """The item that each of the joined links begins at."""
        starts = self.joined.starts
        return np.repeat(np.arange(len(starts) - 1), np.diff(starts)).astype(np.int64)


Links = ItemMemory | GrownLinks
"""Items -> what they are linked to."""
