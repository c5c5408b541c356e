"""Events -> histories, online: the rules of training, on one shopper's few events. Pure; knows no store.

A history holds what was liked: clicks, carts, purchases, and ratings of 4 or more. Events in a row on one item become
one, with the strongest type and the circumstances of the first. `tests/serve/test_histories.py` holds this against
the offline code, event for event.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from trifocal import columns as c
from trifocal.features.context import ContextVocabulary
from trifocal.ports import StoredEvent
from trifocal.types import EVENT_CODES, EventType, History, IntArray, Vocabulary

__all__ = ["HistoryCoder", "KnownHistories", "followed_by", "joined"]

_MIN_RATING = 4.0
# From weak to strong; a run of events on one item keeps the strongest.
_STRENGTH = (EventType.RATING, EventType.CLICK, EventType.CART, EventType.PURCHASE)
_CODE_OF_STRENGTH = np.array([EVENT_CODES[event.value] for event in _STRENGTH], dtype=np.int64)
_STRENGTH_OF_CODE = np.zeros(max(EVENT_CODES.values()) + 1, dtype=np.int64)
_STRENGTH_OF_CODE[_CODE_OF_STRENGTH] = np.arange(len(_STRENGTH))


@dataclass(frozen=True)
class HistoryCoder:
    """Ids and names -> rows and codes, as in training."""

    vocabulary: Vocabulary
    context: ContextVocabulary

    def history(self, events: Sequence[StoredEvent]) -> History:
        """Return the liked and known ones of `events`, in their order, not merged yet."""
        liked = [event for event in events if _is_liked(event) and self.vocabulary.row(event.item_id) is not None]
        return History(
            self.vocabulary.rows([event.item_id for event in liked]),
            _integers([EVENT_CODES[event.event] for event in liked]),
            _integers([int(event.timestamp_s) for event in liked]),
            _integers([self.context.device_code(event.device) for event in liked]),
            _integers([self.context.country_code(event.country) for event in liked]),
        )


class KnownHistories:
    """The liked events of the bundle, one slice of five arrays for each shopper. Stability: internal."""

    def __init__(self, events: pl.DataFrame, coder: HistoryCoder) -> None:
        """Code canonical events, which are oldest first."""
        optional = [pl.lit(None, dtype=kind).alias(name) for name, kind in _OPTIONAL.items() if name not in events]
        liked = events.with_columns(optional).filter(_liked_rows()).sort(c.USER_ID, maintain_order=True)
        rows = coder.vocabulary.rows(liked[c.ITEM_ID].to_list())
        known = rows >= 0
        liked = liked.filter(pl.Series(known))
        self._events = History(
            rows[known],
            _integers([EVENT_CODES[event] for event in liked[c.EVENT].to_list()]),
            liked[c.TIMESTAMP].dt.epoch("s").fill_null(0).to_numpy().astype(np.int64),
            _integers([coder.context.device_code(device) for device in liked[c.DEVICE].to_list()]),
            _integers([coder.context.country_code(country) for country in liked[c.COUNTRY].to_list()]),
        )
        runs = liked.select(pl.col(c.USER_ID).rle()).unnest(c.USER_ID)
        ends = np.cumsum(runs["len"].to_numpy().astype(np.int64))
        starts = ends - runs["len"].to_numpy()
        self._spans: dict[str, tuple[int, int]] = dict(
            zip(runs["value"].to_list(), zip(starts.tolist(), ends.tolist(), strict=True), strict=True)
        )

    @property
    def user_ids(self) -> list[str]:
        """Everybody with at least one liked event."""
        return list(self._spans)

    def count(self, user_id: str) -> int:
        """Return the number of the user's liked events."""
        start, end = self._spans.get(user_id, (0, 0))
        return end - start

    def forget(self, user_id: str, until_s: float = math.inf) -> int:
        """Take out what the user did up to `until_s`, seconds since 1970, UTC; return how many events that was."""
        start, end = self._spans.pop(user_id, (0, 0))
        kept = int(np.count_nonzero(self._events.timestamps_s[start:end] > until_s))
        if kept:
            # Events are oldest first.
            self._spans[user_id] = (end - kept, end)
        return end - start - kept

    def taken(self, items: int) -> csr_matrix:
        """Return (users x items) float32, how often each user did something with each of the first `items` items."""
        spans = list(self._spans.values())
        rows = np.concatenate([np.zeros(0, np.int64), *(self._events.item_rows[start:end] for start, end in spans)])
        users = np.repeat(np.arange(len(spans)), [end - start for start, end in spans])
        return csr_matrix((np.ones(len(rows), np.float32), (users, rows)), shape=(len(spans), items))

    def history(self, user_id: str) -> History:
        """Return the user's liked events, not merged yet; empty for a stranger."""
        start, end = self._spans.get(user_id, (0, 0))
        events = self._events
        return History(
            events.item_rows[start:end],
            events.event_codes[start:end],
            events.timestamps_s[start:end],
            events.device_codes[start:end],
            events.country_codes[start:end],
        )


def joined(known: History, live: History) -> History:
    """Return the bundle's events and then the store's, runs on one item merged; what is in both counts once.

    An event is in both where a bundle was trained on a log that the store still holds. Live events come last even
    where a clock says otherwise: the bundle's data may have been made elsewhere, and what a shopper just did counts.
    """
    before = {event for event in _keys(known) if event[2] > 0}
    both = _columns(known, live)
    return _merged(both[:, [True] * len(known) + [event not in before for event in _keys(live)]])


def followed_by(known: History, session: History) -> History:
    """Return `known` and then `session`, whatever their times say, runs on one item merged."""
    return _merged(_columns(known, session))


def _columns(first: History, second: History) -> IntArray:
    """Both histories as (5, L): rows, event codes, times, devices, countries."""
    names = ("item_rows", "event_codes", "timestamps_s", "device_codes", "country_codes")
    return np.stack([np.concatenate([getattr(first, name), getattr(second, name)]) for name in names])


def _keys(history: History) -> list[tuple[int, int, int]]:
    columns = (history.item_rows.tolist(), history.event_codes.tolist(), history.timestamps_s.tolist())
    return list(zip(*columns, strict=True))


def _merged(columns: IntArray) -> History:
    rows = columns[0]
    if not len(rows):
        return History()
    starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
    strongest = np.maximum.reduceat(_STRENGTH_OF_CODE[columns[1]], starts)
    return History(
        rows[starts], _CODE_OF_STRENGTH[strongest], columns[2, starts], columns[3, starts], columns[4, starts]
    )


_OPTIONAL: dict[str, pl.DataType] = {c.DEVICE: pl.String(), c.COUNTRY: pl.String(), c.VALUE: pl.Float64()}


def _liked_rows() -> pl.Expr:
    acts = pl.col(c.EVENT).is_in([event.value for event in _STRENGTH if event is not EventType.RATING])
    good = pl.col(c.VALUE).is_null() | (pl.col(c.VALUE) >= _MIN_RATING)
    return acts | ((pl.col(c.EVENT) == EventType.RATING.value) & good)


def _is_liked(event: StoredEvent) -> bool:
    if event.event == EventType.RATING:
        return event.value is None or event.value >= _MIN_RATING
    return event.event in _STRENGTH


def _integers(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
