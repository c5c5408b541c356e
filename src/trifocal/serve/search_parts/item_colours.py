"""The colours of all items, and how much of each item has an asked colour. Knows no words.

CIELAB is cut into cells; what a cell is called by is worked out once for all items.

Letters: N items, K colours of an item, S shades, C cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from trifocal.features.product_colours import COLOURS_KEPT, shade_shares
from trifocal.index import GrowingRows
from trifocal.types import AnyFloats, BoolArray, FloatArray

__all__ = ["ItemColours"]

# Steps of CIELAB: lightness 0..100; redness and yellowness -96..96.
_STEPS = (20, 32, 32)
_LOW = np.array([0.0, -96.0, -96.0], np.float32)
_STEP = np.array([5.0, 6.0, 6.0], np.float32)
_CELLS_AT_ONCE = 2048


@dataclass(frozen=True)
class ItemColours:
    """Colours of N items; a change gives another one. Stability: internal.

    Attributes:
        table: (N, 2K) cells of the colours, then their shares; shares of 0 = nothing is known.
        known: (N,) whether anything is.
    """

    table: GrowingRows
    known: BoolArray

    @classmethod
    def of(cls, colours: AnyFloats) -> ItemColours:
        """Return the colours of items from (N, K, 4) CIELAB and share, as `catalogue_colours` gives them."""
        table = _coded(np.asarray(colours, dtype=np.float32))
        known: BoolArray = np.asarray(table[:, COLOURS_KEPT:].any(axis=1))
        return cls(GrowingRows.of(table), known)

    @classmethod
    def none(cls, count: int) -> ItemColours:
        """Return the colours of `count` items of which nothing is known."""
        return cls.of(np.zeros((count, COLOURS_KEPT, 4), np.float32))

    def with_item(self, row: int, colours: AnyFloats | None) -> ItemColours:
        """Return the table in which the item of `row`, which may be N, has `colours` (K, 4), or none."""
        given = np.zeros((COLOURS_KEPT, 4), np.float32) if colours is None else np.asarray(colours, dtype=np.float32)
        coded = _coded(given[None])[0]
        known = np.append(self.known, np.False_) if row == len(self.known) else self.known.copy()
        known[row] = coded[COLOURS_KEPT:].any()
        return ItemColours(self.table.with_row(row, coded), known)

    def shares(self, shades: FloatArray) -> FloatArray:
        """Return (N,) how much of each item has a colour of `shades` (S,), 0..1."""
        called = _called() @ shades
        rows = self.table[np.arange(len(self.table))]
        found: FloatArray = (called[rows[:, :COLOURS_KEPT].astype(np.int64)] * rows[:, COLOURS_KEPT:]).sum(axis=1)
        return found


def _coded(colours: FloatArray) -> FloatArray:
    """Return (N, 2K) cells and shares of `colours` (N, K, 4)."""
    place = ((colours[..., :3] - _LOW) / _STEP).astype(np.int64).clip(0, np.array(_STEPS) - 1)
    cells = (place[..., 0] * _STEPS[1] + place[..., 1]) * _STEPS[2] + place[..., 2]
    return np.concatenate([cells.astype(np.float32), colours[..., 3]], axis=1)


@cache
def _called() -> FloatArray:
    """(C, S) what the middle of each cell is called by."""
    axes = [np.arange(steps) for steps in _STEPS]
    middles = _LOW + (np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) + 0.5) * _STEP
    parts = [
        shade_shares(middles[start : start + _CELLS_AT_ONCE].astype(np.float32))
        for start in range(0, len(middles), _CELLS_AT_ONCE)
    ]
    return np.concatenate(parts)
