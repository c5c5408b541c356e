"""Many shoppers at once -> requests -> rankings -> rows of an answer. B requests, K places, N items.

A server is asked by one shopper at a time; here thousands are, so that the model ranks them in batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.errors import ConfigError, DataError
from trifocal.ports import Recommender
from trifocal.recommender.frames import Frame, as_frame, seconds_of
from trifocal.serve import Answer, Ask, Filters, Reason, Service, SessionEvent
from trifocal.serve.reasons import reasons
from trifocal.types import EventType, FloatArray, IntArray, Rankings, Request

__all__ = [
    "Limits", "Sessions", "answer_frame", "batches", "filters_of", "recommended_frame", "requests_of", "sessions_of",
]  # fmt: skip

Sessions: TypeAlias = dict[str, tuple[SessionEvent, ...]]
Limits: TypeAlias = "Filters | Mapping[str, object] | None"

OF_ITEM: Final = "of_item_id"
RANK: Final = "rank"
SCORE: Final = "score"
REASON: Final = "reason"
REASON_ITEM: Final = "reason_item_id"
REASON_TITLE: Final = "reason_title"
WHY: Final = "why"
_BATCH = 256
# Scores of a batch, (B, N) float32, stay within about 160 MB.
_MOST_SCORES = 40_000_000
_TOLD = {"category", "price_min", "price_max"}


def filters_of(limits: Limits) -> Filters:
    """Return which items may be answered.

    Args:
        limits: `category`, `price_min`, `price_max`; any other name is an attribute, of one value or several.

    >>> filters_of({"category": "Fashion", "colour": "red"}).attributes
    (('colour', ('red',)),)
    """
    if limits is None or isinstance(limits, Filters):
        return limits or Filters()
    names = {str(name).removeprefix(c.ATTRIBUTE_PREFIX): value for name, value in limits.items()}
    category = names.get("category")
    return Filters(
        category=None if category is None else str(category),
        price_min=_price(names, "price_min"),
        price_max=_price(names, "price_max"),
        attributes=tuple((name, _texts(value)) for name, value in names.items() if name not in _TOLD),
    )


def _price(limits: Mapping[str, object], name: str) -> float | None:
    value = limits.get(name)
    if value is None or isinstance(value, int | float):
        return value
    raise ConfigError(f"filters holds {name} = {value!r}; give a number")


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else (str(value),)


def sessions_of(events: Frame | None) -> Sessions:
    """Return user id -> their events, in the order of the rows; a row without `event` is a click.

    Args:
        events: columns `user_id`, `item_id`, and where known `event`, `timestamp`, `value`.

    Raises:
        DataError: when a column is missing, or an event is of an unknown kind.
    """
    if events is None:
        return {}
    frame = as_frame(events, "sessions")
    missing = sorted({c.USER_ID, c.ITEM_ID} - set(frame.columns))
    if missing:
        raise DataError(f"sessions lacks the column {', '.join(missing)}; it has: {', '.join(frame.columns) or 'none'}")
    found: dict[str, list[SessionEvent]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(str(row[c.USER_ID]), []).append(_event(row))
    return {user: tuple(told) for user, told in found.items()}


def _event(row: Mapping[str, object]) -> SessionEvent:
    kind, value = row.get(c.EVENT) or EventType.CLICK.value, row.get(c.VALUE)
    if kind not in {event.value for event in EventType}:
        raise DataError(
            f"sessions holds the event {kind!r}; use one of {', '.join(event.value for event in EventType)}"
        )
    return SessionEvent(
        str(row[c.ITEM_ID]),
        EventType(str(kind)),
        seconds_of(row.get(c.TIMESTAMP)),
        float(value) if isinstance(value, int | float) else None,
    )


def requests_of(service: Service, asks: Sequence[Ask]) -> tuple[list[Request], tuple[str, ...]]:
    """Return what the model is asked for each of `asks`, and in words what of them could not be used.

    Left out are what is sold out, what the filters of the first ask bar (they are the same for all), and what was seen.
    """
    barred = service.catalogue.barred_rows(asks[0].filters if asks else Filters())
    told = [service.gateway.request(ask) for ask in asks]
    requests = [
        replace(request, exclude=np.union1d(barred, request.history.item_rows) if ask.exclude_seen else barred)
        for ask, (request, _) in zip(asks, told, strict=True)
    ]
    return requests, tuple(dict.fromkeys(note for _, notes in told for note in notes))


def batches(recommender: Recommender, requests: Sequence[Request], k: int, n_items: int) -> Rankings:
    """Return the `k` best items for each of `requests`, ranked so many at a time that the scores fit in memory."""
    size = max(1, min(_BATCH, _MOST_SCORES // n_items))
    parts = [recommender.recommend(requests[at : at + size], k) for at in range(0, len(requests), size)]
    if not parts:
        return Rankings(np.zeros((0, k), np.int64), np.zeros((0, k), np.float32))
    return Rankings(np.concatenate([p.item_rows for p in parts]), np.concatenate([p.scores for p in parts]))


def recommended_frame(
    service: Service, items: pl.DataFrame, requests: Sequence[Request], found: Rankings, users: Sequence[str]
) -> pl.DataFrame:
    """Return `user_id`, `rank`, the item, and why it is there; a line an item, users in their order, best first.

    Args:
        service: names the reasons.
        items: (N,) the catalogue.
        requests: (B,) what was asked.
        found: (B, K) what was ranked.
        users: (B,) who asked.
    """
    real = found.item_rows >= 0
    lines, places = np.nonzero(real)
    table = _item_columns(items, found.item_rows[real], found.scores[real])
    why = [reason for line in range(len(requests)) for reason in _reasons(service, requests[line], found, line)]
    return table.select(
        pl.Series(c.USER_ID, [users[line] for line in lines.tolist()], dtype=pl.String),
        pl.Series(RANK, places + 1, dtype=pl.Int64),
        pl.all(),
        pl.Series(REASON, [reason.kind for reason in why], dtype=pl.String),
        pl.Series(REASON_ITEM, [reason.item_id for reason in why], dtype=pl.String),
        pl.Series(REASON_TITLE, [reason.title for reason in why], dtype=pl.String),
    )


def _reasons(service: Service, request: Request, found: Rankings, line: int) -> Sequence[Reason]:
    rows = found.item_rows[line]
    ranking = Rankings(rows[rows >= 0][None], found.scores[line][rows >= 0][None])
    why = reasons(request, ranking, service.gateway.engine.vectors, service.catalogue, by_model=True)
    return [reason or Reason("popular") for reason in why]


def answer_frame(items: pl.DataFrame, answer: Answer) -> pl.DataFrame:
    """Return `rank` and the items of `answer`, a line an item, best first."""
    rows = {item_id: row for row, item_id in enumerate(items[c.ITEM_ID].to_list())}
    found = np.array([rows[item.card.item_id] for item in answer.items], dtype=np.int64)
    scores = np.array([item.score for item in answer.items], dtype=np.float32)
    return _item_columns(items, found, scores).with_row_index(RANK, 1).with_columns(pl.col(RANK).cast(pl.Int64))


def _item_columns(items: pl.DataFrame, rows: IntArray, scores: FloatArray) -> pl.DataFrame:
    """`item_id`, `score` and what a shopper sees of the items of `rows`."""
    shown = [name for name in (c.TITLE, c.CATEGORY, c.PRICE) if name in items.columns]
    return items[rows].select(
        pl.col(c.ITEM_ID), pl.Series(SCORE, scores, dtype=pl.Float32), *(pl.col(name) for name in shown)
    )
