"""Ids, rows and the small values that travel between stages. Imports nothing from this package.

Ids of the outside world are text (`UserId`, `ItemId`); rows are positions in a `Vocabulary` (`ItemRow`). They
have different types and never mix: answers are always in the user's own ids.

Letters of array shapes, here and everywhere: B batch, L history length, K candidates, N items, D embedding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "EVENT_CODES",
    "POSITIVE_EVENTS",
    "AnyFloats",
    "BoolArray",
    "Context",
    "EventType",
    "FloatArray",
    "FloatRows",
    "History",
    "IntArray",
    "ItemId",
    "ItemRow",
    "Rankings",
    "Request",
    "UserId",
    "VectorTable",
    "Vocabulary",
]

UserId = NewType("UserId", str)
ItemId = NewType("ItemId", str)
ItemRow = NewType("ItemRow", int)

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
AnyFloats = npt.NDArray[np.float32] | npt.NDArray[np.float16]
BoolArray = npt.NDArray[np.bool_]


class FloatRows(Protocol):
    """(N, width) float32 that is read row by row: an array, or one that grows (`trifocal.index.GrowingRows`)."""

    def __getitem__(self, rows: IntArray, /) -> FloatArray:
        """Return the rows `rows`, of any shape, each as a line of the last axis."""
        ...

    def __len__(self) -> int: ...


class VectorTable(Protocol):
    """(N, D) numbers that an index reads in blocks and by rows: an array, or rows made as they are read."""

    @property
    def ndim(self) -> int:
        """2, where it is a table."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any:
        """Return the rows that an array or a slice names."""
        ...


class EventType(StrEnum):
    """What a user did with an item."""

    IMPRESSION = "impression"
    CLICK = "click"
    CART = "cart"
    PURCHASE = "purchase"
    RATING = "rating"


# Code 0 is kept for "unknown", as in every coded column.
EVENT_CODES: dict[str, int] = {event.value: code for code, event in enumerate(EventType, start=1)}

# An impression says what was shown, not what was liked.
POSITIVE_EVENTS: tuple[EventType, ...] = (
    EventType.CLICK,
    EventType.CART,
    EventType.PURCHASE,
    EventType.RATING,
)


@dataclass(frozen=True)
class Vocabulary:
    """A fixed, ordered set of ids; the position of an id is its row.

    >>> vocabulary = Vocabulary.of(["shoe", "bag"])
    >>> vocabulary.row("bag"), vocabulary.row("hat"), vocabulary.ids[0], len(vocabulary)
    (1, None, 'shoe', 2)
    """

    ids: tuple[str, ...]
    _rows: dict[str, int] = field(repr=False, compare=False)

    @classmethod
    def of(cls, ids: Iterable[str]) -> Vocabulary:
        """Return the vocabulary of `ids` in their order; a repeated id keeps its first row."""
        unique = tuple(dict.fromkeys(ids))
        return cls(unique, {item: row for row, item in enumerate(unique)})

    def row(self, item: str) -> int | None:
        """Return the row of `item`, or None where it is unknown."""
        row = self._rows.get(item)
        # What was grown from this vocabulary shares its table, and may hold more.
        return row if row is not None and row < len(self.ids) else None

    def rows(self, items: Sequence[str]) -> IntArray:
        """Return the rows of `items`, -1 for each unknown one."""
        rows = np.fromiter((self._rows.get(item, -1) for item in items), dtype=np.int64, count=len(items))
        return np.where(rows < len(self.ids), rows, -1)

    def grown(self, item: str) -> Vocabulary:
        """Return the vocabulary with `item` behind all others; this one stays as it is. Cheap: the table is shared.

        Raises:
            ValueError: when `item` is there already.
        """
        if self.row(item) is not None:
            raise ValueError(f"{item!r} has row {self.row(item)} already")
        # Grown a second time from the same place: what the first one added is not of this branch.
        rows = self._rows if len(self._rows) == len(self.ids) else {name: row for row, name in enumerate(self.ids)}
        rows[item] = len(self.ids)
        return Vocabulary((*self.ids, item), rows)

    def __len__(self) -> int:
        return len(self.ids)


def _no_rows() -> IntArray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class History:
    """What one user did, oldest first; five arrays of one length L.

    Attributes:
        item_rows: (L,) rows in the catalogue.
        event_codes: (L,) values of `EVENT_CODES`, 0 = unknown.
        timestamps_s: (L,) seconds since 1970, UTC; 0 = unknown.
        device_codes: (L,) codes of the context features, 0 = unknown.
        country_codes: (L,) codes of the context features, 0 = unknown.
    """

    item_rows: IntArray = field(default_factory=_no_rows)
    event_codes: IntArray = field(default_factory=_no_rows)
    timestamps_s: IntArray = field(default_factory=_no_rows)
    device_codes: IntArray = field(default_factory=_no_rows)
    country_codes: IntArray = field(default_factory=_no_rows)

    @classmethod
    def of_rows(cls, item_rows: Sequence[int] | IntArray) -> History:
        """Return a history of which only the items are known."""
        rows = np.asarray(item_rows, dtype=np.int64)
        unknown = np.zeros_like(rows)
        return cls(rows, unknown, unknown, unknown, unknown)

    def last(self, length: int) -> History:
        """Return the newest `length` events."""
        return self.at(slice(max(len(self) - length, 0), None))

    def at(self, events: slice | BoolArray | IntArray) -> History:
        """Return the history of the chosen `events`: a slice, a mask (L,), or places."""
        return History(
            self.item_rows[events],
            self.event_codes[events],
            self.timestamps_s[events],
            self.device_codes[events],
            self.country_codes[events],
        )

    def __len__(self) -> int:
        return len(self.item_rows)


@dataclass(frozen=True)
class Context:
    """The circumstances of a request; everything may be unknown.

    Attributes:
        timestamp_s: seconds since 1970, UTC; 0 = unknown.
        device_code: code of the context features, 0 = unknown.
        country_code: code of the context features, 0 = unknown.
        query_vector: (text width,) pooled text features of the search query, or None.
    """

    timestamp_s: int = 0
    device_code: int = 0
    country_code: int = 0
    query_vector: FloatArray | None = None


@dataclass(frozen=True)
class Request:
    """What a recommender is asked: this history, in this context, without these items."""

    history: History = field(default_factory=History)
    context: Context = field(default_factory=Context)
    exclude: IntArray = field(default_factory=_no_rows)
    user_id: UserId | None = None


@dataclass(frozen=True)
class Rankings:
    """The best K items for each of B requests, best first.

    Attributes:
        item_rows: (B, K) rows in the catalogue; -1 fills a list that is shorter than K.
        scores: (B, K) float32, falling along K; -inf where the row is -1.
    """

    item_rows: IntArray
    scores: FloatArray
