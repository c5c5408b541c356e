"""Events -> what each user liked: positive events, histories oldest first, the interaction matrix. Reads no file."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from trifocal import columns as c
from trifocal.features.context import ContextVocabulary
from trifocal.types import EVENT_CODES, EventType, FloatArray, History, IntArray, UserId, Vocabulary

__all__ = ["STRENGTH", "interaction_matrix", "positives", "user_histories"]

# Of several events on one item in a row the strongest is kept.
STRENGTH = (EventType.RATING, EventType.CLICK, EventType.CART, EventType.PURCHASE)

_ROW, _RUN, _STRENGTH, _WEIGHT = "item_row", "run", "strength", "weight"


def positives(events: pl.DataFrame, min_rating: float = 4.0) -> pl.DataFrame:
    """Return the events that say "liked": click, cart, purchase, and ratings of `min_rating` or more.

    A rating without a value counts as positive; an impression never does.
    """
    acts = pl.col(c.EVENT).is_in([e.value for e in STRENGTH if e is not EventType.RATING])
    rating = pl.col(c.EVENT) == EventType.RATING.value
    return events.filter(acts | (rating & (pl.col(c.VALUE).is_null() | (pl.col(c.VALUE) >= min_rating))))


def interaction_matrix(
    events: pl.DataFrame,
    vocabulary: Vocabulary,
    *,
    weights: dict[str, float] | None = None,
    min_rating: float = 4.0,
) -> tuple[csr_matrix, Vocabulary]:
    """Return the users x items matrix of positive events, float32, and the user of each row.

    Args:
        events: canonical events; those that are not positive or of unknown items are left out.
        vocabulary: the items, in the order of the columns.
        weights: event type -> weight; a cell holds the greatest weight of its events. None = 1 everywhere.
        min_rating: see `positives`.
    """
    liked = _with_item_rows(positives(events, min_rating), vocabulary)
    weight = pl.lit(1.0) if weights is None else _coded(c.EVENT, weights, pl.Float64())
    cells = (
        liked.with_columns(weight.alias(_WEIGHT))
        .group_by(c.USER_ID, _ROW, maintain_order=True)
        .agg(pl.col(_WEIGHT).max())
        .filter(pl.col(_WEIGHT) > 0)
    )
    users = Vocabulary.of(cells[c.USER_ID].to_list())
    values: FloatArray = cells[_WEIGHT].to_numpy().astype(np.float32)
    places = (users.rows(cells[c.USER_ID].to_list()), cells[_ROW].to_numpy())
    matrix = csr_matrix((values, places), shape=(len(users), len(vocabulary)), dtype=np.float32)
    matrix.sort_indices()
    return matrix, users


def user_histories(
    events: pl.DataFrame, vocabulary: Vocabulary, context: ContextVocabulary, *, min_rating: float = 4.0
) -> dict[UserId, History]:
    """Return the history of every user with a positive event, oldest first.

    Events in a row on the same item become one: the strongest type (rating < click < cart < purchase), with time,
    device and country of the first. Events of items outside `vocabulary` are left out.

    Args:
        events: canonical events, oldest first; ties keep their order.
        vocabulary: the items; `item_rows` are its rows.
        context: codes of devices and countries.
        min_rating: see `positives`.
    """
    runs = _runs(_with_item_rows(positives(events, min_rating), vocabulary))
    codes = np.array([EVENT_CODES[event.value] for event in STRENGTH], dtype=np.int64)
    columns = (
        _integers(runs[_ROW]),
        codes[_integers(runs[_STRENGTH])],
        _integers(runs[c.TIMESTAMP].dt.epoch("s")),
        _integers(runs.select(_coded(c.DEVICE, _codes(context.devices), pl.Int64())).to_series()),
        _integers(runs.select(_coded(c.COUNTRY, _codes(context.countries), pl.Int64())).to_series()),
    )
    spans = runs.select(pl.col(c.USER_ID).rle()).unnest(c.USER_ID)
    ends = np.cumsum(_integers(spans["len"]))
    starts = ends - _integers(spans["len"])
    return {
        UserId(user): History(*(column[start:end] for column in columns))
        for user, start, end in zip(spans["value"].to_list(), starts, ends, strict=True)
    }


def _with_item_rows(events: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    rows = pl.DataFrame(
        {c.ITEM_ID: list(vocabulary.ids), _ROW: np.arange(len(vocabulary))},
        schema={c.ITEM_ID: pl.String(), _ROW: pl.Int64()},
    )
    return events.join(rows, on=c.ITEM_ID, how="inner", maintain_order="left")


def _runs(liked: pl.DataFrame) -> pl.DataFrame:
    strength = {event.value: float(rank) for rank, event in enumerate(STRENGTH)}
    by_user = liked.sort(c.USER_ID, maintain_order=True)
    same = pl.struct(c.USER_ID, _ROW)
    return (
        by_user.with_columns(same.rle_id().alias(_RUN), _coded(c.EVENT, strength, pl.Int64()).alias(_STRENGTH))
        .group_by(_RUN, maintain_order=True)
        .agg(pl.col(c.USER_ID, _ROW, c.TIMESTAMP, c.DEVICE, c.COUNTRY).first(), pl.col(_STRENGTH).max())
    )


def _codes(vocabulary: Vocabulary) -> dict[str, float]:
    return {value: row + 1 for row, value in enumerate(vocabulary.ids)}


def _coded(column: str, codes: dict[str, float], kind: pl.DataType) -> pl.Expr:
    # Lists, not the dict: an empty dict has no type that polars could compare text with.
    old = pl.Series(list(codes), dtype=pl.String)
    new = pl.Series(list(codes.values())).cast(kind)
    return pl.col(column).replace_strict(old, new, default=0, return_dtype=kind).fill_null(0)


def _integers(series: pl.Series) -> IntArray:
    return series.fill_null(0).to_numpy().astype(np.int64)
