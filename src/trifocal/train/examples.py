"""Histories -> training examples and batches: what each position of a sequence should predict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trifocal.batch import Batch
from trifocal.features.items import CatalogueFeatures
from trifocal.features.sequences import user_batch
from trifocal.types import Context, FloatArray, History, IntArray, Request

__all__ = ["Example", "SearchEvent", "batches", "search_examples", "sequence_examples"]

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
        before = _part(history, max(end - history_length, 0), end)
        targets = np.full(len(before) + 1, -1, dtype=np.int64)
        targets[-1] = event.item_row
        context = Context(
            event.timestamp_s, _at(history.device_codes, end), _at(history.country_codes, end), event.query_vector
        )
        times = np.append(before.timestamps_s, event.timestamp_s)
        examples.append(Example(Request(before, context), targets, times))
    return examples


def batches(
    examples: Sequence[Example],
    features: CatalogueFeatures,
    *,
    batch_size: int,
    live_items: int,
    history_length: int,
    generator: np.random.Generator,
) -> Iterator[tuple[Batch, torch.Tensor]]:
    """Yield batches in random order, each of like lengths, with the times of their targets (B, L + 1)."""
    for chosen in _like_lengths(examples, batch_size, generator):
        users = user_batch([e.request for e in chosen], history_length, features.text.width)
        targets = np.full(users.query_rows.shape, -1, dtype=np.int64)
        times = np.zeros(users.query_rows.shape, dtype=np.int64)
        for row, example in enumerate(chosen):
            targets[row, : len(example.targets)] = example.targets
            times[row, : len(example.targets)] = example.times_s
        rows = _live_rows(targets, live_items, len(features), generator)
        weights = torch.from_numpy((targets >= 0).astype(np.float32))
        items = features.batch(rows)
        yield Batch(users, torch.from_numpy(targets), weights, items, torch.from_numpy(rows)), torch.from_numpy(times)


def _like_lengths(
    examples: Sequence[Example], batch_size: int, generator: np.random.Generator
) -> Iterator[list[Example]]:
    """Sort within random groups of `_BATCHES_SORTED` batches, so that little is padded and the order stays random."""
    order = generator.permutation(len(examples))
    made: list[IntArray] = []
    for start in range(0, len(order), batch_size * _BATCHES_SORTED):
        group = order[start : start + batch_size * _BATCHES_SORTED]
        by_length = group[np.argsort([len(examples[row].targets) for row in group], kind="stable")]
        made += [by_length[first : first + batch_size] for first in range(0, len(by_length), batch_size)]
    for place in generator.permutation(len(made)):
        yield [examples[row] for row in made[place]]


def _live_rows(targets: IntArray, live_items: int, n_items: int, generator: np.random.Generator) -> IntArray:
    """Draw from the targets first, since their gradient is the greatest; fill up with any other items."""
    positives = np.unique(targets[targets >= 0])
    chosen = generator.permutation(positives)[:live_items]
    missing = min(live_items, n_items) - len(chosen)
    if missing > 0:
        others = np.setdiff1d(np.arange(n_items), chosen)
        chosen = np.concatenate([chosen, generator.choice(others, missing, replace=False)])
    return np.sort(chosen)


def _window(history: History, start: int, end: int) -> Example:
    last = end - 1
    context = Context(
        int(history.timestamps_s[last]), int(history.device_codes[last]), int(history.country_codes[last])
    )
    request = Request(_part(history, start, last), context)
    return Example(request, history.item_rows[start:end], history.timestamps_s[start:end])


def _part(history: History, start: int, end: int) -> History:
    return History(
        history.item_rows[start:end],
        history.event_codes[start:end],
        history.timestamps_s[start:end],
        history.device_codes[start:end],
        history.country_codes[start:end],
    )


def _shuffled_ties(history: History, generator: np.random.Generator) -> History:
    order = np.lexsort([generator.random(len(history)), history.timestamps_s])
    return History(
        history.item_rows[order],
        history.event_codes[order],
        history.timestamps_s[order],
        history.device_codes[order],
        history.country_codes[order],
    )


def _at(codes: IntArray, place: int) -> int:
    return int(codes[place]) if place < len(codes) else 0
