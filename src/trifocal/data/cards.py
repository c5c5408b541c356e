"""Item row -> the card that reports show of it, with a small picture inline."""

from __future__ import annotations

from collections.abc import Iterable

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.report import Card, data_uri

__all__ = ["ItemCards"]


class ItemCards:
    """The items of a data set as cards; each picture is read once. Stability: internal."""

    def __init__(self, dataset: Dataset) -> None:
        columns = dataset.items.select(c.ITEM_ID, c.TITLE, c.IMAGE)
        self._items: list[tuple[str, str | None, str | None]] = columns.rows()
        self._root = dataset.image_root
        self._pictures: dict[int, str | None] = {}

    def of(self, row: int, *, hit: bool = False) -> Card:
        """Return the card of the item at `row`."""
        item_id, title, image = self._items[row]
        if row not in self._pictures:
            self._pictures[row] = None if image is None else data_uri(self._root / image)
        return Card(title or item_id, self._pictures[row], hit)

    def of_rows(self, rows: Iterable[int], wanted: frozenset[int] = frozenset()) -> list[Card]:
        """Return the cards of `rows`, those of `wanted` as hits; places without an item, -1, are left out."""
        return [self.of(int(row), hit=int(row) in wanted) for row in rows if row >= 0]
