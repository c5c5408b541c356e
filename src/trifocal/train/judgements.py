"""Events -> lists that a user judged at one moment: what was shown, clicked or passed over, and what was rated.

A user's history in such a request is what lay before the list: nothing of the list, and nothing after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.histories import STRENGTH, positives
from trifocal.data.sessions import with_sessions
from trifocal.features.context import ContextVocabulary
from trifocal.train.examples import history_part
from trifocal.types import EVENT_CODES, Context, EventType, FloatArray, History, IntArray, Request, Vocabulary

__all__ = ["Judgements", "rated_lists", "shown_lists"]

QueryVectors = Callable[[list[str]], dict[str, FloatArray]]

# A longer list is cut: it is padded to the longest of its batch.
_ITEMS_A_LIST = 64
_SESSION_MINUTES = 30.0
_ORDER, _MOMENT, _VALUE, _PART, _RUN, _RUNS, _NEWEST = "order", "moment", "judged", "part", "run", "runs", "newest"
_LAST = "last"


def _no_rows() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def _no_values() -> FloatArray:
    return np.zeros(0, dtype=np.float32)


@dataclass(frozen=True)
class Judgements:
    """S lists of one user and one moment each, with E items in all. Stability: internal.

    Attributes:
        user_ids: (S,) who judged.
        before: (S,) events of the user's history that came before the list.
        newest_codes: (S,) code of the newest of them as it stood then: a click may have become a purchase since.
        timestamps_s: (S,) seconds since 1970 of the first item; 0 = unknown.
        device_codes: (S,) codes of the context features.
        country_codes: (S,) codes of the context features.
        queries: (S,) what was searched for, or None.
        query_vectors: features of each query.
        starts: (S + 1,) list s holds the items from `starts[s]` on, to `starts[s + 1]`.
        item_rows: (E,) rows of the catalogue.
        values: (E,) 1 = clicked and 0 = passed over, or the rating.
    """

    user_ids: tuple[str, ...] = ()
    before: IntArray = field(default_factory=_no_rows)
    newest_codes: IntArray = field(default_factory=_no_rows)
    timestamps_s: IntArray = field(default_factory=_no_rows)
    device_codes: IntArray = field(default_factory=_no_rows)
    country_codes: IntArray = field(default_factory=_no_rows)
    queries: tuple[str | None, ...] = ()
    query_vectors: Mapping[str, FloatArray] = field(default_factory=dict)
    starts: IntArray = field(default_factory=_no_rows)
    item_rows: IntArray = field(default_factory=_no_rows)
    values: FloatArray = field(default_factory=_no_values)

    def __len__(self) -> int:
        return len(self.user_ids)

    def request(self, row: int, histories: Mapping[str, History], history_length: int) -> Request:
        """Return the request of list `row`: the newest `history_length` events before it, and its circumstances."""
        whole = histories.get(self.user_ids[row], History())
        end = int(self.before[row])
        known = history_part(whole, max(end - history_length, 0), end)
        codes = known.event_codes.copy()
        codes[-1:] = self.newest_codes[row]
        query = self.queries[row]
        context = Context(
            int(self.timestamps_s[row]),
            int(self.device_codes[row]),
            int(self.country_codes[row]),
            None if query is None else self.query_vectors[query],
        )
        return Request(replace(known, event_codes=codes), context)

    def items(self, row: int) -> tuple[IntArray, FloatArray]:
        """Return the item rows and values of list `row`."""
        span = slice(int(self.starts[row]), int(self.starts[row + 1]))
        return self.item_rows[span], self.values[span]


def shown_lists(
    events: pl.DataFrame,
    vocabulary: Vocabulary,
    context: ContextVocabulary,
    query_vectors: QueryVectors,
    *,
    min_rating: float = 4.0,
) -> Judgements:
    """Return the lists that were shown: 1 = clicked, carted or bought later in the same session, else 0.

    An item shown twice in a session counts once, as of the first time. A list ends where the session, the query or
    the history does, so that all its items meet the same user; where a log has no sessions, a pause ends one.

    Args:
        events: canonical events, oldest first.
        vocabulary: the items; events of others are left out.
        context: codes of devices and countries.
        query_vectors: features of the queries that were searched for.
        min_rating: least rating that counts as liked, as in the histories.
    """
    known = _known(events, vocabulary)
    session = [c.USER_ID, c.SESSION_ID, c.ITEM_ID]
    shown = known.filter(pl.col(c.EVENT) == EventType.IMPRESSION.value).unique(
        session, keep="first", maintain_order=True
    )
    acts = positives(known, min_rating).filter(pl.col(c.EVENT) != EventType.RATING.value)
    last = acts.group_by(session).agg(pl.col(_ORDER).max().alias(_LAST))
    judged = shown.join(last, on=session, how="left", nulls_equal=True, maintain_order="left").with_columns(
        (pl.col(_LAST) > pl.col(_ORDER)).fill_null(False).cast(pl.Float32).alias(_VALUE)
    )
    return _judgements(judged, positives(known, min_rating), vocabulary, context, query_vectors)


def rated_lists(
    events: pl.DataFrame, vocabulary: Vocabulary, context: ContextVocabulary, *, min_rating: float = 4.0
) -> Judgements:
    """Return every rating that has a value, liked or not; a list ends where the session or the history does.

    Args:
        events: canonical events, oldest first.
        vocabulary: the items; events of others are left out.
        context: codes of devices and countries.
        min_rating: least rating that counts as liked, as in the histories.
    """
    known = _known(events, vocabulary)
    rated = known.filter((pl.col(c.EVENT) == EventType.RATING.value) & pl.col(c.VALUE).is_not_null())
    judged = rated.with_columns(pl.col(c.VALUE).cast(pl.Float32).alias(_VALUE), pl.lit(None, pl.String).alias(c.QUERY))
    return _judgements(judged, positives(known, min_rating), vocabulary, context, lambda _: {})


def _known(events: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    """Events of known items, with their order and moment: the time, or the order where some have no time."""
    inside = events.filter(pl.col(c.ITEM_ID).is_in(list(vocabulary.ids)))
    timed = inside[c.TIMESTAMP].null_count() == 0
    moment = pl.col(c.TIMESTAMP).dt.epoch("us") if timed else pl.col(_ORDER)
    ordered = with_sessions(inside, _SESSION_MINUTES).with_columns(pl.int_range(pl.len()).cast(pl.Int64).alias(_ORDER))
    return ordered.with_columns(moment.cast(pl.Int64).alias(_MOMENT))


def _judgements(
    judged: pl.DataFrame,
    liked: pl.DataFrame,
    vocabulary: Vocabulary,
    context: ContextVocabulary,
    query_vectors: QueryVectors,
) -> Judgements:
    if judged.is_empty():
        return Judgements()
    lists = _grouped(_with_history(judged, liked))
    items = lists.explode(c.ITEM_ID, _VALUE)
    codes = np.array([0, *(EVENT_CODES[event.value] for event in STRENGTH)], dtype=np.int64)
    return Judgements(
        user_ids=tuple(lists[c.USER_ID]),
        before=_integers(lists[_RUNS]),
        newest_codes=codes[_integers(lists[_NEWEST])],
        timestamps_s=_integers(lists[c.TIMESTAMP].dt.epoch("s")),
        device_codes=np.array([context.device_code(device) for device in lists[c.DEVICE]], dtype=np.int64),
        country_codes=np.array([context.country_code(country) for country in lists[c.COUNTRY]], dtype=np.int64),
        queries=tuple(lists[c.QUERY]),
        query_vectors=query_vectors(lists[c.QUERY].drop_nulls().unique(maintain_order=True).to_list()),
        starts=np.concatenate([[0], np.cumsum(_integers(lists[c.ITEM_ID].list.len()))]).astype(np.int64),
        item_rows=vocabulary.rows(items[c.ITEM_ID].to_list()),
        values=items[_VALUE].to_numpy().astype(np.float32),
    )


def _with_history(judged: pl.DataFrame, liked: pl.DataFrame) -> pl.DataFrame:
    """Beside each judged event: how many events its user's history had before it, and how strong the newest was then.

    Events of the same moment are not before it. Runs are counted as `user_histories` merges them.
    """
    strengths = pl.DataFrame({c.EVENT: [e.value for e in STRENGTH], _NEWEST: range(1, len(STRENGTH) + 1)})
    runs = (
        liked.join(strengths, on=c.EVENT, how="left", maintain_order="left")
        .sort(c.USER_ID, maintain_order=True)
        .with_columns(pl.struct(c.USER_ID, c.ITEM_ID).rle_id().alias(_RUN))
        .with_columns(
            (pl.col(_RUN) - pl.col(_RUN).min().over(c.USER_ID) + 1).alias(_RUNS),
            pl.col(_NEWEST).cum_max().over(_RUN),
        )
        .select(c.USER_ID, _MOMENT, _RUNS, _NEWEST)
        .sort(_MOMENT, maintain_order=True)
    )
    return judged.sort(_MOMENT, maintain_order=True).join_asof(
        runs, on=_MOMENT, by=c.USER_ID, strategy="backward", allow_exact_matches=False, check_sortedness=False
    )


def _grouped(judged: pl.DataFrame) -> pl.DataFrame:
    same = [c.USER_ID, c.SESSION_ID, c.QUERY, _RUNS]
    return (
        judged.with_columns((pl.int_range(pl.len()).over(same) // _ITEMS_A_LIST).alias(_PART))
        .group_by(*same, _PART, maintain_order=True)
        .agg(
            pl.col(c.TIMESTAMP, c.DEVICE, c.COUNTRY, _NEWEST).first(),
            pl.col(c.ITEM_ID, _VALUE),
        )
    )


def _integers(series: pl.Series) -> IntArray:
    return series.fill_null(0).to_numpy().astype(np.int64)
