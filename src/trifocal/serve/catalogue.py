"""The items as serving needs them: cards to show, masks to filter by. Reads the item table once; knows no shopper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.errors import NotFoundError, ServingError
from trifocal.serve.asks import Filters, ItemCard
from trifocal.types import BoolArray, IntArray, Vocabulary

__all__ = ["Catalogue"]


class Catalogue:
    """N items: row <-> id, cards, filters. Safe to use from several threads: nothing changes. Stability: caller."""

    def __init__(self, items: pl.DataFrame) -> None:
        """Take the canonical item table; a missing optional column counts as unknown everywhere."""
        self.vocabulary = Vocabulary.of(items[c.ITEM_ID].to_list())
        self._titles = _texts(items, c.TITLE)
        self._descriptions = _texts(items, c.DESCRIPTION)
        self._categories = _texts(items, c.CATEGORY)
        self.images = _texts(items, c.IMAGE)
        self._prices = _column(items, c.PRICE, pl.Float64()).fill_null(float("nan")).to_numpy()
        self._available = _column(items, c.AVAILABLE, pl.Boolean()).fill_null(value=True).to_numpy()
        self._sold_out = np.flatnonzero(~self._available).astype(np.int64)
        self._attributes = {
            name.removeprefix(c.ATTRIBUTE_PREFIX): items[name].cast(pl.String)
            for name in items.columns
            if name.startswith(c.ATTRIBUTE_PREFIX)
        }
        paths = [category or "" for category in self._categories]
        self._distinct_paths, self._path_codes = np.unique(np.array(paths, dtype=object), return_inverse=True)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def row(self, item_id: str) -> int:
        """Return the row of `item_id`.

        Raises:
            NotFoundError: when the bundle does not hold it.
        """
        row = self.vocabulary.row(item_id)
        if row is None:
            raise NotFoundError(f"item {item_id!r} is not among the {len(self):,} items of this bundle; check the id")
        return row

    def card(self, row: int) -> ItemCard:
        """Return what a visitor sees of the item; the id stands in for a missing title."""
        price = float(self._prices[row])
        return ItemCard(
            item_id=self.vocabulary.ids[row],
            title=self.title(row),
            description=self._descriptions[row],
            category=self._categories[row],
            price=None if np.isnan(price) else price,
            available=bool(self._available[row]),
            has_image=self.images[row] is not None,
        )

    def title(self, row: int) -> str:
        """Return the title of the item; the id stands in for a missing one."""
        return self._titles[row] or self.vocabulary.ids[row]

    def barred_rows(self, filters: Filters) -> IntArray:
        """Return the rows of the items that are sold out or outside `filters`, rising."""
        if filters == Filters():
            return self._sold_out
        return np.flatnonzero(self.barred(filters)).astype(np.int64)

    def barred(self, filters: Filters) -> BoolArray:
        """Return (N,) True for each item that is sold out or outside `filters`."""
        barred: BoolArray = ~self._available
        if filters.category:
            barred = barred | ~self._within(filters.category)
        # Written so that NaN, an unknown price, fails every comparison and is barred.
        if filters.price_min is not None:
            barred = barred | ~(self._prices >= filters.price_min)
        if filters.price_max is not None:
            barred = barred | ~(self._prices <= filters.price_max)
        for name, values in filters.attributes:
            barred = barred | ~self._having(name, values)
        return barred

    def sections(self) -> list[str]:
        """Return the first levels of the category paths, the fullest first."""
        counts: dict[str, int] = {}
        for path, count in zip(self._distinct_paths, np.bincount(self._path_codes), strict=True):
            section = str(path).split(c.CATEGORY_SEPARATOR)[0]
            counts[section] = counts.get(section, 0) + int(count)
        return [name for name in sorted(counts, key=lambda section: -counts[section]) if name]

    def words(self, row: int) -> str:
        """Return title and category in small letters, for search without an encoder."""
        return f"{self._titles[row] or ''} {self._categories[row] or ''}".lower()

    def _having(self, name: str, values: Sequence[str]) -> BoolArray:
        if name not in self._attributes:
            known = ", ".join(sorted(self._attributes)) or "none"
            raise ServingError(f"the items have no attribute {name!r} to filter by; they have: {known}")
        found: BoolArray = self._attributes[name].is_in(list(values)).fill_null(value=False).to_numpy()
        return found

    def _within(self, category: str) -> BoolArray:
        below = category + c.CATEGORY_SEPARATOR
        inside = np.array([path == category or path.startswith(below) for path in self._distinct_paths])
        matching: BoolArray = inside[self._path_codes]
        return matching


def _column(items: pl.DataFrame, name: str, kind: pl.DataType) -> pl.Series:
    return items[name].cast(kind) if name in items.columns else pl.Series(name, [None] * items.height, dtype=kind)


def _texts(items: pl.DataFrame, name: str) -> list[str | None]:
    return [text or None for text in _column(items, name, pl.String()).to_list()]
