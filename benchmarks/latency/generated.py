"""The benchmark's catalogue and its shoppers, by seed: items with texts, and clustered histories with a long tail.

Letters: N items, U users, E events, C clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, conform
from trifocal.errors import DataError
from trifocal.types import FloatArray, IntArray

__all__ = ["Interactions", "draw_interactions", "event_table", "item_table", "unit_vectors"]

_CATALOGUE = "hm-week/catalogue_all_105542_text.parquet"
_KINDS = ("dress", "boot", "lamp", "coat", "scarf", "mug", "chair", "shirt", "bag", "rug", "sock", "cap")
_COLOURS = ("red", "blue", "green", "black", "white", "grey", "pink", "brown", "yellow", "violet")
_STUFFS = ("wool", "linen", "cotton", "leather", "oak", "steel", "glass", "silk", "denim", "clay")
_CLUSTER_ITEMS = 250
# A user's events: 5 at least, 60 at most, 13 in the mean.
_EVENTS_MIN, _EVENTS_MAX, _EVENTS_MORE = 5, 60, 8.0
_FAVOURITE_CLUSTERS = 3
_FAVOURITE_SHARE = 0.8
# Of popularity by rank, as catalogues have it.
_ZIPF = 0.8
_START_S, _DAYS = 1_767_225_600, 90  # from 2026-01-01 UTC
_EVENT_TYPES, _DEVICES, _COUNTRIES = ("click", "cart", "purchase"), ("mobile", "desktop"), ("NL", "DE", "SE")


@dataclass(frozen=True)
class Interactions:
    """Who took what when.

    Attributes:
        user_rows: (E,) from 0, users in a row.
        item_rows: (E,).
        clusters: (N,) cluster of each item.
        timestamps_s: (E,) rising within a user.
    """

    user_rows: IntArray
    item_rows: IntArray
    clusters: IntArray
    timestamps_s: IntArray


def item_table(n_items: int, data: Path | None, rng: np.random.Generator) -> pl.DataFrame:
    """Return the canonical table of `n_items`: texts from `data`, or generated ones; prices are always drawn.

    Raises:
        DataError: when the catalogue under `data` is absent or too small.
    """
    items = _made_up(n_items, rng) if data is None else _read(data / _CATALOGUE, n_items)
    prices = np.round(np.exp(rng.normal(3.2, 0.6, n_items)), 2)
    items = items.with_columns(pl.Series(c.PRICE, prices), pl.lit(value=True).alias(c.AVAILABLE))
    return conform(items, ITEM_SCHEMA, extra_prefix=c.ATTRIBUTE_PREFIX)


def draw_interactions(n_items: int, n_users: int, rng: np.random.Generator) -> Interactions:
    """Return histories of 5 to 60 events over items of unequal popularity, most of them in few clusters a user."""
    n_clusters = max(n_items // _CLUSTER_ITEMS, 2)
    clusters = rng.integers(0, n_clusters, n_items)
    lengths = np.minimum(_EVENTS_MIN + rng.exponential(_EVENTS_MORE, n_users).astype(np.int64), _EVENTS_MAX)
    users = np.repeat(np.arange(n_users), lengths)
    favourites = rng.integers(0, n_clusters, (n_users, _FAVOURITE_CLUSTERS))
    wanted = favourites[users, rng.integers(0, _FAVOURITE_CLUSTERS, len(users))]
    elsewhere = rng.random(len(users)) > _FAVOURITE_SHARE
    wanted[elsewhere] = rng.integers(0, n_clusters, int(elsewhere.sum()))
    times = _START_S + rng.integers(0, _DAYS * 86_400, len(users))
    times = times[np.lexsort((times, users))]
    return Interactions(users, _drawn_items(clusters, wanted, rng), clusters, times)


def event_table(
    found: Interactions, item_ids: list[str], user_ids: list[str], rng: np.random.Generator
) -> pl.DataFrame:
    """Return the canonical events, oldest first."""
    count = len(found.user_rows)
    columns = {
        c.USER_ID: np.array(user_ids, dtype=object)[found.user_rows],
        c.ITEM_ID: np.array(item_ids, dtype=object)[found.item_rows],
        c.EVENT: rng.choice(_EVENT_TYPES, count, p=(0.7, 0.1, 0.2)).tolist(),
        c.DEVICE: rng.choice(_DEVICES, count).tolist(),
        c.COUNTRY: rng.choice(_COUNTRIES, count).tolist(),
    }
    times = pl.from_epoch(pl.Series(c.TIMESTAMP, found.timestamps_s), "s").dt.replace_time_zone("UTC")
    events = pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.String())).with_columns(times)
    return conform(events.sort(c.TIMESTAMP, maintain_order=True), EVENT_SCHEMA)


def unit_vectors(clusters: IntArray, width: int, rng: np.random.Generator) -> FloatArray:
    """Return (N, width) float32 of length 1, alike within a cluster."""
    centres = rng.standard_normal((int(clusters.max()) + 1, width), dtype=np.float32)
    vectors = rng.standard_normal((len(clusters), width), dtype=np.float32)
    vectors += centres[clusters]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _drawn_items(clusters: IntArray, wanted: IntArray, rng: np.random.Generator) -> IntArray:
    """Return for each wanted cluster one of its items, the popular ones more often."""
    popularity = (1.0 + rng.permutation(len(clusters))) ** -_ZIPF
    order = np.argsort(clusters, kind="stable")
    ends = np.cumsum(np.bincount(clusters))
    total = np.concatenate([[0.0], np.cumsum(popularity[order])])
    low, high = total[np.concatenate([[0], ends[:-1]])][wanted], total[ends][wanted]
    places = np.searchsorted(total, low + rng.random(len(wanted)) * (high - low), side="right") - 1
    drawn: IntArray = order[np.clip(places, 0, len(order) - 1)]
    return drawn


def _made_up(n_items: int, rng: np.random.Generator) -> pl.DataFrame:
    kinds, colours, stuffs = (rng.choice(words, n_items) for words in (_KINDS, _COLOURS, _STUFFS))
    words = pl.DataFrame({"kind": kinds.tolist(), "colour": colours.tolist(), "stuff": stuffs.tolist()})
    number = pl.int_range(pl.len()).cast(pl.String).str.zfill(7)
    return words.select(
        pl.concat_str(pl.lit("item-"), number).alias(c.ITEM_ID),
        pl.format("{} {} {}", pl.col("colour").str.to_titlecase(), "stuff", "kind").alias(c.TITLE),
        pl.format("A {} of {} {}, number {}.", "kind", "colour", "stuff", number).alias(c.DESCRIPTION),
        pl.format("Shop > {}", "kind").alias(c.CATEGORY),
        pl.col("colour").alias(f"{c.ATTRIBUTE_PREFIX}colour"),
        pl.col("stuff").alias(f"{c.ATTRIBUTE_PREFIX}stuff"),
    )


def _read(path: Path, n_items: int) -> pl.DataFrame:
    if not path.is_file():
        raise DataError(f"there is no {path}; name the folder of the data sets with --data, or leave it out")
    found = pl.read_parquet(path)
    if found.height < n_items:
        raise DataError(f"{path} holds {found.height:,} items, the benchmark needs {n_items:,}; ask for fewer")
    names = ("product_type_name", "graphical_appearance_name", "colour_group_name", "garment_group_name")
    attributes = {f"{c.ATTRIBUTE_PREFIX}{name.removesuffix('_name')}": pl.col(name) for name in names}
    kept = found.head(n_items).select(c.ITEM_ID, c.TITLE, c.DESCRIPTION, c.CATEGORY, c.IMAGE, **attributes)
    present = {picture.name for picture in (path.parent / "images").glob("*")}
    return kept.with_columns(pl.when(pl.col(c.IMAGE).is_in(sorted(present))).then(pl.col(c.IMAGE)).alias(c.IMAGE))
