"""Latents and behaviour -> the canonical tables, and the counts that sum them up. No file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.shop.behaviour import CART_AT, PURCHASE_AT, Behaviour, satisfaction
from trifocal.data.shop.gallery import picture_name
from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.products import TEXT_PROPERTIES, Products
from trifocal.data.shop.shoppers import COUNTRIES, DEVICES
from trifocal.data.shop.utility import Utility
from trifocal.data.shop.visits import Visits
from trifocal.data.shop.wares import BRANDS, WARES
from trifocal.data.shop.writing import Texts, query_text
from trifocal.types import BoolArray, EventType

__all__ = ["event_table", "ids", "item_table", "session_table", "summary"]

_DAY_S = 86_400


def ids(prefix: str, count: int) -> list[str]:
    """Return `count` ids in order.

    >>> ids("item", 2)
    ['item-00001', 'item-00002']
    """
    return [f"{prefix}-{number:05d}" for number in range(1, count + 1)]


def item_table(products: Products, texts: Texts, item_ids: Sequence[str], start: date) -> pl.DataFrame:
    """Return the catalogue; of the style it says nothing."""
    return pl.DataFrame(
        {
            c.ITEM_ID: item_ids,
            c.TITLE: texts.titles,
            c.DESCRIPTION: texts.descriptions,
            c.CATEGORY: [WARES[code].path for code in products.category],
            c.IMAGE: [picture_name(item_id) for item_id in item_ids],
            c.PRICE: products.price.astype(np.float64).round(2),
            c.CREATED_AT: _times(products.created_day.astype(np.float64) * _DAY_S, start),
            c.AVAILABLE: [True] * len(products),
            f"{c.ATTRIBUTE_PREFIX}brand": [BRANDS[code] for code in products.brand],
        }
    )


def event_table(
    utility: Utility,
    visits: Visits,
    behaviour: Behaviour,
    *,
    item_ids: Sequence[str],
    user_ids: Sequence[str],
    start: date,
) -> pl.DataFrame:
    """Return all events, oldest first."""
    clicked, carted, bought = behaviour.clicked, behaviour.carted, behaviour.bought
    parts = [
        _events(EventType.IMPRESSION, behaviour, np.ones(len(behaviour), dtype=bool), behaviour.shown_s),
        _events(EventType.CLICK, behaviour, clicked, behaviour.click_s),
        _events(EventType.CART, behaviour, carted, behaviour.click_s + CART_AT * behaviour.dwell_s),
        _events(EventType.PURCHASE, behaviour, bought, behaviour.click_s + PURCHASE_AT * behaviour.dwell_s),
    ]
    raw = pl.concat(parts)
    visit, item = raw["visit"].to_numpy(), raw["item"].to_numpy()
    is_purchase = pl.col(c.EVENT) == EventType.PURCHASE.value
    price = pl.Series(utility.products.price.astype(np.float64).round(2))
    return (
        raw.with_columns(
            pl.Series(c.USER_ID, user_ids).gather(visits.shopper[visit]).alias(c.USER_ID),
            pl.Series(c.ITEM_ID, item_ids).gather(item).alias(c.ITEM_ID),
            _times(visits.day[visit] * _DAY_S + raw["seconds"].to_numpy(), start).alias(c.TIMESTAMP),
            pl.Series(c.SESSION_ID, ids("session", len(visits))).gather(visit).alias(c.SESSION_ID),
            pl.Series(c.DEVICE, DEVICES).gather(visits.device[visit]).alias(c.DEVICE),
            pl.Series(c.COUNTRY, COUNTRIES).gather(utility.shoppers.country[visits.shopper[visit]]).alias(c.COUNTRY),
            pl.Series(c.QUERY, _queries(visits), dtype=pl.String).gather(visit).alias(c.QUERY),
            pl.when(is_purchase).then(price.gather(item)).alias(c.VALUE),
        )
        .drop("visit", "item", "seconds")
        .sort(c.TIMESTAMP, maintain_order=True)
    )


def _events(event: EventType, behaviour: Behaviour, rows: BoolArray, seconds: Numbers) -> pl.DataFrame:
    """Return the `rows` of the impressions as events of one type, still with row numbers."""
    dwell_ms = pl.Series(c.DWELL_MS, (behaviour.dwell_s[rows] * 1000).astype(np.int64))
    if event is not EventType.CLICK:
        dwell_ms = pl.Series(c.DWELL_MS, [None] * int(rows.sum()), dtype=pl.Int64)
    return pl.DataFrame(
        {
            "visit": behaviour.visit[rows],
            "item": behaviour.item[rows],
            "seconds": seconds[rows].astype(np.float64),
            c.EVENT: pl.Series([event.value]).new_from_index(0, int(rows.sum())),
            c.POSITION: behaviour.position[rows],
            c.DWELL_MS: dwell_ms,
        }
    )


def _queries(visits: Visits) -> list[str | None]:
    pairs = zip(visits.intent.tolist(), visits.query_property.tolist(), strict=True)
    return [None if wanted < 0 else query_text(intent, TEXT_PROPERTIES[wanted]) for intent, wanted in pairs]


def _times(seconds: Numbers, start: date) -> pl.Series:
    """Return moments `seconds` after the midnight (UTC) of `start`, to the millisecond."""
    midnight_ms = int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp() * 1000)
    moments = pl.Series(np.floor(seconds * 1000).astype(np.int64) + midnight_ms)
    return moments.cast(pl.Datetime("ms", "UTC")).cast(pl.Datetime("us", "UTC"))


def session_table(utility: Utility, visits: Visits, behaviour: Behaviour, user_ids: Sequence[str]) -> pl.DataFrame:
    """Return for each session its shopper, its intent and its true satisfaction (see `behaviour`)."""
    size, hit = len(visits), behaviour.visit[behaviour.clicked]
    content = satisfaction(behaviour.utility[behaviour.clicked], utility.weights.click_threshold)
    clicks = np.bincount(hit, minlength=size)
    mean = np.bincount(hit, weights=content, minlength=size) / np.maximum(clicks, 1)
    return pl.DataFrame(
        {
            c.SESSION_ID: ids("session", size),
            c.USER_ID: pl.Series(user_ids).gather(visits.shopper),
            "intent": pl.Series([ware.key for ware in WARES]).gather(visits.intent),
            "clicks": clicks,
            "satisfaction": mean.astype(np.float32),
        }
    )


def summary(items: pl.DataFrame, events: pl.DataFrame) -> dict[str, int | float | str]:
    """Return the counts that describe the data set."""
    counts = dict(events.group_by(c.EVENT).len().iter_rows())
    clicks = events.filter(pl.col(c.EVENT) == EventType.CLICK.value)
    by_item = clicks.group_by(c.ITEM_ID).len().sort("len", descending=True)["len"].to_numpy()
    top = by_item[: max(items.height // 10, 1)]
    impressions: int = counts.get(EventType.IMPRESSION.value, 0)
    return {
        "items": items.height,
        "items without description": items[c.DESCRIPTION].null_count(),
        "categories": items[c.CATEGORY].n_unique(),
        "users": events[c.USER_ID].n_unique(),
        "sessions": events[c.SESSION_ID].n_unique(),
        "events": events.height,
        **{f"{event.value}s": counts.get(event.value, 0) for event in EventType if event is not EventType.RATING},
        "click rate": round(clicks.height / max(impressions, 1), 4),
        "share of clicks on the top tenth of items": round(float(top.sum()) / max(clicks.height, 1), 4),
        "first event": str(events[c.TIMESTAMP].min()),
        "last event": str(events[c.TIMESTAMP].max()),
    }
