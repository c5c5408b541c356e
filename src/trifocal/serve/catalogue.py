"""The items as serving needs them: cards to show, masks to filter by. Reads the item table once; knows no shopper."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from trifocal import columns as c
from trifocal.errors import NotFoundError, ServingError
from trifocal.ports import StoredItem
from trifocal.serve.asks import Filters, ItemCard
from trifocal.types import BoolArray, History, IntArray, Vocabulary

__all__ = ["Catalogue"]


@dataclass(frozen=True)
class _Coded:
    """One text of each item, as codes: (N,) places in `values`; value 0 = missing."""

    values: tuple[str | None, ...]
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> _Coded:
        places: dict[str | None, int] = {None: 0}
        codes = np.array([places.setdefault(text, len(places)) for text in texts], dtype=np.int32)
        return cls(tuple(places), codes)

    def with_text(self, row: int, text: str | None) -> _Coded:
        values = self.values if text in self.values else (*self.values, text)
        return replace(self, values=values, codes=_with(self.codes, row, values.index(text)))

    def among(self, wanted: BoolArray) -> BoolArray:
        """Return (N,) which items have one of the values marked in `wanted`."""
        found: BoolArray = wanted[self.codes]
        return found


class Catalogue:
    """N items: row <-> id, cards, filters. Nothing of it changes: a change gives another one. Stability: caller."""

    def __init__(self, items: pl.DataFrame) -> None:
        """Take the canonical item table; a missing optional column counts as unknown everywhere."""
        self.vocabulary = Vocabulary.of(items[c.ITEM_ID].to_list())
        self._titles = _texts(items, c.TITLE)
        self._descriptions = _texts(items, c.DESCRIPTION)
        self._categories = _shared(_texts(items, c.CATEGORY))
        self.images = _texts(items, c.IMAGE)
        self._prices = _column(items, c.PRICE, pl.Float64()).fill_null(float("nan")).to_numpy()
        self._available = _column(items, c.AVAILABLE, pl.Boolean()).fill_null(value=True).to_numpy()
        self._sold_out = np.flatnonzero(~self._available).astype(np.int64)
        self._removed = np.zeros(len(self.vocabulary), np.bool_)
        self._any_removed = False
        self._live_pictures: frozenset[int] = frozenset()
        self._attributes = {
            name.removeprefix(c.ATTRIBUTE_PREFIX): _Coded.of(items[name].cast(pl.String).to_list())
            for name in items.columns
            if name.startswith(c.ATTRIBUTE_PREFIX)
        }
        self._paths = _Coded.of(self._categories)
        self._cards: dict[int, ItemCard] = {}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def row(self, item_id: str) -> int:
        """Return the row of `item_id`.

        Raises:
            NotFoundError: when the bundle does not hold it, or it was deleted.
        """
        row = self.vocabulary.row(item_id)
        if row is None or self._removed[row]:
            raise NotFoundError(f"item {item_id!r} is not among the {len(self):,} items of this bundle; check the id")
        return row

    def card(self, row: int) -> ItemCard:
        """Return what a visitor sees of the item; the id stands in for a missing title. Made once."""
        card = self._cards.get(row)
        if card is None:
            card = self._cards[row] = self._card(row)
        return card

    def _card(self, row: int) -> ItemCard:
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
        shown = np.bincount(self._paths.codes[~self._removed], minlength=len(self._paths.values))
        for path, count in zip(self._paths.values, shown, strict=True):
            section = (path or "").split(c.CATEGORY_SEPARATOR)[0]
            counts[section] = counts.get(section, 0) + int(count)
        return [
            name for name in sorted(counts, key=lambda section: (-counts[section], section)) if name and counts[name]
        ]

    def texts(self, row: int) -> tuple[str | None, str | None, str | None]:
        """Return title, description and category path of the item; None = it has none."""
        return self._titles[row], self._descriptions[row], self._categories[row]

    def is_in_bundle(self, row: int) -> bool:
        """Return whether the picture of the item is in the bundle's folder, else it is in that of the live items."""
        return row not in self._live_pictures

    @property
    def removed(self) -> BoolArray:
        """(N,) True for each item that was deleted."""
        return self._removed

    @property
    def offered(self) -> BoolArray:
        """(N,) True for each item that is neither sold out nor deleted."""
        return self._available

    def lacking(self, start: int, stop: int) -> dict[str, int]:
        """Return how many of the rows from `start` to before `stop` lack each part, deleted ones left out.

        Beside the parts `items` and `sold_out`; `text` = neither title nor description.
        """
        rows = slice(start, stop)
        here, available = ~self._removed[rows], self._available[rows]
        texts = {"title": self._titles, "description": self._descriptions, "category": self._categories}
        lack = {name: np.array([text is None for text in known[rows]], np.bool_) for name, known in texts.items()}
        lack["text"] = lack["title"] & lack["description"]
        lack["price"] = np.isnan(self._prices[rows])
        lack["picture"] = np.array([name is None for name in self.images[rows]], np.bool_)
        counts = {name: int((missing & here).sum()) for name, missing in lack.items()}
        return {"items": int(here.sum()), "sold_out": int((here & ~available).sum()), **counts}

    def shown(self, history: History) -> History:
        """Return the part of `history` whose items are here and not deleted."""
        rows = history.item_rows
        if not len(rows) or (not self._any_removed and int(rows.max()) < len(self)):
            return history
        here = rows < len(self)
        here[here] = ~self._removed[rows[here]]
        return history.at(here)

    def item(self, row: int) -> StoredItem:
        """Return all that is known of the item, as a store keeps it."""
        card = self.card(row)
        attributes = [(name, coded.values[coded.codes[row]]) for name, coded in sorted(self._attributes.items())]
        return StoredItem(
            item_id=card.item_id,
            title=self._titles[row],
            description=card.description,
            category=card.category,
            price=card.price,
            attributes=tuple((name, value) for name, value in attributes if value is not None),
            available=card.available,
            picture=self.images[row],
            in_bundle=self.is_in_bundle(row),
        )

    def with_item(self, item: StoredItem) -> Catalogue:
        """Return the catalogue with `item` behind all others, or in place of the one of its id."""
        found = self.vocabulary.row(item.item_id)
        row = len(self) if found is None else found
        other = copy.copy(self)
        if found is None:
            other.vocabulary = self.vocabulary.grown(item.item_id)
        other._titles = _replaced(self._titles, row, item.title or None)
        other._descriptions = _replaced(self._descriptions, row, item.description or None)
        other._categories = _replaced(self._categories, row, item.category or None)
        other.images = _replaced(self.images, row, item.picture)
        other._live_pictures = self._live_pictures - {row} if item.in_bundle else self._live_pictures | {row}
        other._paths = self._paths.with_text(row, item.category or None)
        given = dict(item.attributes)
        missing = _Coded((None,), np.zeros(len(self), np.int32))
        names = {*self._attributes, *given}
        other._attributes = {n: self._attributes.get(n, missing).with_text(row, given.get(n)) for n in sorted(names)}
        other._removed = _with(self._removed, row, value=False)
        return other._offered(row, item.price, available=item.available)

    def with_offer(self, row: int, price: float | None, *, available: bool) -> Catalogue:
        """Return the catalogue with another price and availability of the item."""
        return copy.copy(self)._offered(row, price, available=available)

    def without(self, row: int) -> Catalogue:
        """Return the catalogue without the item; its row stays, and is never answered."""
        other = copy.copy(self)
        other._removed, other._any_removed = _with(self._removed, row, value=True), True
        return other._offered(row, None, available=False)

    def _offered(self, row: int, price: float | None, *, available: bool) -> Catalogue:
        self._prices = _with(self._prices, row, np.nan if price is None else price)
        self._available = _with(self._available, row, value=available)
        self._sold_out = np.flatnonzero(~self._available).astype(np.int64)
        # Its own: the catalogue before this one goes on making cards of what it knows.
        self._cards = {}
        return self

    def _having(self, name: str, values: Sequence[str]) -> BoolArray:
        if name not in self._attributes:
            known = ", ".join(sorted(self._attributes)) or "none"
            raise ServingError(f"the items have no attribute {name!r} to filter by; they have: {known}")
        coded = self._attributes[name]
        return coded.among(np.array([value in values for value in coded.values]))

    def _within(self, category: str) -> BoolArray:
        below = category + c.CATEGORY_SEPARATOR
        inside = [path is not None and (path == category or path.startswith(below)) for path in self._paths.values]
        return self._paths.among(np.array(inside))


def _with(values: npt.NDArray[np.generic], row: int, value: float | bool) -> npt.NDArray:  # type: ignore[type-arg]
    """Return a copy of `values` (N,) with `value` at `row`, which may be N."""
    changed = np.empty(max(len(values), row + 1), dtype=values.dtype)
    changed[: len(values)] = values
    changed[row] = value
    return changed


def _replaced(texts: list[str | None], row: int, text: str | None) -> list[str | None]:
    """Return a copy of `texts` with `text` at `row`, which may be the length."""
    return [*texts[:row], text, *texts[row + 1 :]]


def _column(items: pl.DataFrame, name: str, kind: pl.DataType) -> pl.Series:
    return items[name].cast(kind) if name in items.columns else pl.Series(name, [None] * items.height, dtype=kind)


def _shared(texts: list[str | None]) -> list[str | None]:
    """Return `texts` with equal ones held once: of a million items a few hundred categories."""
    held: dict[str | None, str | None] = {}
    return [held.setdefault(text, text) for text in texts]


def _texts(items: pl.DataFrame, name: str) -> list[str | None]:
    return [text or None for text in _column(items, name, pl.String()).to_list()]
