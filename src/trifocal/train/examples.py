"""Histories -> training examples, in groups of like lengths: what each position of a sequence should predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.types import Context, FloatArray, History, IntArray, Request

__all__ = ["Example", "SearchEvent", "history_part", "like_lengths", "search_examples", "sequence_examples"]

_BATCHES_SORTED = 16


@dataclass(frozen=True)
class Example:
    """A request and what its positions should predict.

    Attributes:
        request: L events, and the context of what came next.
        targets: (L + 1,) item rows; -1 = nothing to predict here.
        times_s: (L + 1,) when each target was taken; 0 = unknown.
    """

    request: Request
    targets: IntArray
    times_s: IntArray


@dataclass(frozen=True)
class SearchEvent:
    """A positive event that followed a query."""

    user_id: str
    item_row: int
    timestamp_s: int
    query_vector: FloatArray


def sequence_examples(
    histories: Sequence[History], history_length: int, *, shuffle_ties: bool, generator: np.random.Generator
) -> list[Example]:
    """Return one example for each window of at most `history_length` + 1 events; every event is a target once."""
    examples = []
    for whole in histories:
        history = _shuffled_ties(whole, generator) if shuffle_ties else whole
        ends = range(len(history), 0, -history_length)
        examples += [_window(history, max(end - history_length, 0), end) for end in ends]
    return examples


def search_examples(
    events: Sequence[SearchEvent], histories: Mapping[str, History], history_length: int
) -> list[Example]:
    """Return an example for each event: its history, its query, and only the last position to predict."""
    examples = []
    for event in events:
        history = histories[event.user_id]
        end = int(np.searchsorted(history.timestamps_s, event.timestamp_s, side="left"))
        before = history_part(history, max(end - history_length, 0), end)
        targets = np.full(len(before) + 1, -1, dtype=np.int64)
        targets[-1] = event.item_row
        context = Context(
            event.timestamp_s, _at(history.device_codes, end), _at(history.country_codes, end), event.query_vector
        )
        times = np.append(before.timestamps_s, event.timestamp_s)
        examples.append(Example(Request(before, context), targets, times))
    return examples


def like_lengths(examples: Sequence[Example], batch_size: int, generator: np.random.Generator) -> list[list[Example]]:
    """Return all `examples` in groups of `batch_size`, in random order, each group of like lengths.

    They are sorted within random groups of `_BATCHES_SORTED` batches: little is padded, and the order stays random.
    """
    order = generator.permutation(len(examples))
    made: list[IntArray] = []
    for start in range(0, len(order), batch_size * _BATCHES_SORTED):
        group = order[start : start + batch_size * _BATCHES_SORTED]
        by_length = group[np.argsort([len(examples[row].targets) for row in group], kind="stable")]
        made += [by_length[first : first + batch_size] for first in range(0, len(by_length), batch_size)]
    return [[examples[row] for row in made[place]] for place in generator.permutation(len(made))]


def _window(history: History, start: int, end: int) -> Example:
    last = end - 1
    context = Context(
        int(history.timestamps_s[last]), int(history.device_codes[last]), int(history.country_codes[last])
    )
    request = Request(history_part(history, start, last), context)
    return Example(request, history.item_rows[start:end], history.timestamps_s[start:end])


def history_part(history: History, start: int, end: int) -> History:
    """Return the events of `history` from `start` to before `end`."""
    return History(
        history.item_rows[start:end],
        history.event_codes[start:end],
        history.timestamps_s[start:end],
        history.device_codes[start:end],
        history.country_codes[start:end],
    )


def _shuffled_ties(history: History, generator: np.random.Generator) -> History:
    # Events without a time are no tie: all that is known of them is their order.
    untimed = history.timestamps_s == 0
    keys = np.where(untimed, np.arange(len(history)), generator.random(len(history)))
    order = np.lexsort([keys, history.timestamps_s])
    return History(
        history.item_rows[order],
        history.event_codes[order],
        history.timestamps_s[order],
        history.device_codes[order],
        history.country_codes[order],
    )


def _at(codes: IntArray, place: int) -> int:
    return int(codes[place]) if place < len(codes) else 0
