"""What the second stage knows of a candidate: popularity, trend, channel, co-purchase, likeness in words and looks.

One function for training, evaluation and serving. NumPy only.
Letters: N items, K candidates, L events of the history, S compact size, A attributes, F columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from trifocal.model.pairs import Pairs
from trifocal.types import BoolArray, Context, FloatArray, FloatRows, History, IntArray

__all__ = [
    "EVIDENCE",
    "FIRST_ATTRIBUTE",
    "Comparison",
    "EvidenceTables",
    "HeldOut",
    "compare_with_history",
    "evidence_columns",
    "evidence_of",
    "today",
]

# The columns of the evidence; behind them stands the share of the history that has the candidate's value, an attribute
# a column.
EVIDENCE = (
    "memory",
    "memory_behind_best",
    "memory_today",
    "log_popularity",
    "channel_share",
    "trend",
    "text_nearest",
    "text_sum",
    "text_mean",
    "text_newest",
    "image_nearest",
    "image_sum",
    "image_mean",
    "image_newest",
    "together_sum",
    "together_nearest",
    "together_items",
    "together_users",
    "price_level",
    "price_difference",
    "price_nearest",
    "log_history",
    "today_share",
)
FIRST_ATTRIBUTE = len(EVIDENCE)
# Events within half a day of the request belong to the same visit; where only the day is known, to the same day.
_TODAY_S = 43_200
# Pseudo-events that keep the shares of rare items near the mean.
_PRIOR_EVENTS = 5.0


@dataclass(frozen=True)
class EvidenceTables:
    """What is looked up; every count is of the training part.

    Attributes:
        text: (N, S) compact unit text vectors; zero = no text, or not used.
        image: (N, S) compact unit image vectors; zero = no picture, or not used.
        attributes: (N, A) int64 codes, price last; 0 = missing.
        counts: (N,) float32 users an item has.
        device_counts: (N, devices + 1) float32, the same by device or channel of a user's first event.
        newest_counts: (N,) float32, users whose first event is among the newest fifth of those.
        pairs: (P,) int64 rising, row * N + row of another item that a user took as well.
        pair_counts: (P,) float32, how many users did.
        newest_from_s: when that newest fifth begins, seconds since 1970.
    """

    text: FloatRows
    image: FloatRows
    attributes: IntArray
    counts: FloatArray
    device_counts: FloatArray
    newest_counts: FloatArray
    pairs: IntArray
    pair_counts: FloatArray
    newest_from_s: IntArray

    def taken_together(self, history: IntArray, candidates: IntArray) -> FloatArray:
        """Return (L, K): how many users took both."""
        return self.taken_pairs.counts_of(history, candidates)

    def grown(
        self,
        *,
        text: FloatRows,
        image: FloatRows,
        attributes: IntArray,
        counts: FloatArray,
        device_counts: FloatArray,
        newest_counts: FloatArray,
    ) -> EvidenceTables:
        """Return these tables with items behind the others, or changed ones; what was taken together stays as it is."""
        tables = replace(
            self,
            text=text,
            image=image,
            attributes=attributes,
            counts=counts,
            device_counts=device_counts,
            newest_counts=newest_counts,
        )
        # The keys of the pairs are of the rows that there were: those of the new tables would be others.
        tables.__dict__["taken_pairs"] = self.taken_pairs
        tables.__dict__["device_shares"] = self.device_shares
        return tables

    @cached_property
    def taken_pairs(self) -> Pairs:
        """The pairs by their first item."""
        return Pairs(self.pairs, self.pair_counts, len(self.counts))

    @cached_property
    def device_shares(self) -> FloatArray:
        """(devices + 1,) share of all events on each device or channel."""
        shares: FloatArray = self.device_counts.sum(axis=0) / np.maximum(self.device_counts.sum(), 1.0)
        return shares


@dataclass(frozen=True)
class HeldOut:
    """In training: what of the counts is the user's own doing, and must not give the answer away.

    Attributes:
        own: (K,) the candidate is among what was held out of this user's history.
        newest: what was held out is among the newest fifth.
    """

    own: BoolArray
    newest: bool


def evidence_columns(attributes: int) -> int:
    """Return F for items of `attributes` coded attributes, the price among them."""
    return FIRST_ATTRIBUTE + attributes - 1


def today(history: History, context: Context) -> BoolArray:
    """Return (L,) which events belong to the request's visit or day; all where the times are unknown."""
    if context.timestamp_s == 0:
        return np.ones(len(history), dtype=np.bool_)
    near = np.abs(history.timestamps_s - context.timestamp_s) <= _TODAY_S
    found: BoolArray = near | (history.timestamps_s == 0)
    return found


def evidence_of(
    tables: EvidenceTables,
    candidates: IntArray,
    history: History,
    context: Context,
    memory: FloatArray,
    memory_today: FloatArray,
    held_out: HeldOut | None = None,
    compare: Comparison | None = None,
) -> FloatArray:
    """Return the (K, F) evidence.

    Args:
        tables: where items are looked up.
        candidates: (K,) item rows, best first.
        history: the user's events, oldest first.
        context: of the request.
        memory: (K,) the memory's scores from the whole history.
        memory_today: (K,) those from the events of the same visit or day.
        held_out: see there; None = when serving.
        compare: fills the columns that compare candidates with the history; None = `compare_with_history`.
    """
    own = np.zeros(len(candidates), np.float32) if held_out is None else held_out.own.astype(np.float32)
    own_newest = own * (held_out is not None and held_out.newest)
    counts = np.maximum(tables.counts[candidates] - own, 0)
    table = np.zeros((len(candidates), evidence_columns(tables.attributes.shape[1])), dtype=np.float32)
    table[:, 0] = memory
    table[:, 1] = memory - memory.max(initial=-np.inf)
    table[:, 2] = memory_today
    table[:, 3] = np.log1p(counts)
    table[:, 4] = _share(tables, context.device_code, candidates, counts, own)
    newest = np.maximum(tables.newest_counts[candidates] - own_newest, 0)
    table[:, 5] = newest / (counts + _PRIOR_EVENTS)
    table[:, 21] = np.log1p(len(history))
    if len(history):
        table[:, 22] = today(history, context).mean()
        (compare or compare_with_history)(tables, table, candidates, history.item_rows, own)
    return table


Comparison = Callable[[EvidenceTables, FloatArray, IntArray, IntArray, FloatArray], None]
"""(tables, table, candidates, rows of the history, own) -> nothing; see `compare_with_history`."""


def compare_with_history(
    tables: EvidenceTables, table: FloatArray, candidates: IntArray, rows: IntArray, own: FloatArray
) -> None:
    """Fill the columns of `table` (K, F) that compare `candidates` (K,) with the events `rows` (L,), at least one.

    Args:
        tables: where items are looked up.
        table: (K, F); written.
        candidates: (K,) item rows.
        rows: (L,) item rows, oldest first.
        own: (K,) 1 = the user's own event is among the counts, and is taken off.
    """
    counts = np.maximum(tables.counts[candidates] - own, 0)
    table[:, 6:10] = _likeness(tables.text, candidates, rows)
    table[:, 10:14] = _likeness(tables.image, candidates, rows)
    table[:, 14:18] = _together(tables, candidates, rows, counts, own)
    prices = tables.attributes[:, -1]
    table[:, 18:21] = _prices(prices[candidates], prices[rows])
    codes, others = tables.attributes[rows, :-1], tables.attributes[candidates, :-1]
    table[:, FIRST_ATTRIBUTE:] = ((codes[:, None] == others) & (others > 0)).mean(axis=0)


def _share(
    tables: EvidenceTables, device: int, candidates: IntArray, counts: FloatArray, own: FloatArray
) -> FloatArray:
    """Share of an item's events on the request's device or channel, drawn towards that of all items."""
    if device == 0 or device >= tables.device_counts.shape[1]:
        return np.zeros(len(candidates), dtype=np.float32)
    mean = tables.device_shares[device]
    here = np.maximum(tables.device_counts[candidates, device] - own, 0)
    share: FloatArray = (here + _PRIOR_EVENTS * mean) / (counts + _PRIOR_EVENTS) - mean
    return share


def _likeness(table: FloatRows, candidates: IntArray, history: IntArray) -> FloatArray:
    """(K, 4): cosine to the most alike, summed and mean sharpened cosines, cosine to the newest."""
    cosines = np.maximum(table[candidates] @ table[history].T, 0)  # (K, L)
    sharp = np.square(np.square(cosines))  # the fourth power, as in the memory's kernels: only near neighbours count
    return np.stack([cosines.max(axis=1), sharp.sum(axis=1), sharp.mean(axis=1), cosines[:, -1]], axis=1)


def _together(
    tables: EvidenceTables, candidates: IntArray, history: IntArray, counts: FloatArray, own: FloatArray
) -> FloatArray:
    """(K, 4): summed and greatest cosine of co-purchase, items of the history with any, users in all."""
    both = np.maximum(tables.taken_together(history, candidates) - own, 0)
    cosines = both / np.sqrt(np.maximum(counts, 1) * np.maximum(tables.counts[history], 1)[:, None])
    return np.stack([cosines.sum(axis=0), cosines.max(axis=0), (both > 0).sum(axis=0), both.sum(axis=0)], axis=1)


def _prices(candidates: IntArray, history: IntArray) -> FloatArray:
    """(K, 3) in price buckets: level, difference to the history's mean, distance to the nearest; 0 where unknown."""
    known = history[history > 0]
    table = np.zeros((len(candidates), 3), dtype=np.float32)
    if len(known):
        table[:, 0] = candidates
        table[:, 1] = candidates - known.mean()
        table[:, 2] = np.abs(candidates[:, None] - known).min(axis=1)
    table[candidates == 0] = 0
    return table
