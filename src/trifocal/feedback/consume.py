"""Moves events from a source to the store: read, store, acknowledge. Knows neither's kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trifocal.ports import EventBatch, EventSource, EventStore

__all__ = ["Consumed", "consume"]


@dataclass(frozen=True)
class Consumed:
    """What became of the messages: `stored` were new, `known` were there, `forgotten` are of forgotten users."""

    stored: int = 0
    known: int = 0
    forgotten: int = 0


def consume(
    source: EventSource,
    store: EventStore,
    *,
    forgotten: Callable[[], Mapping[str, float]] = dict,
    is_over: Callable[[EventBatch], bool],
) -> Consumed:
    """Store what `source` gives until `is_over` says so of a batch, and return what became of it.

    A batch is acknowledged only once it is durable; when this dies in between it comes again and counts as known.

    Args:
        source: of the events.
        store: takes them.
        forgotten: user id -> up to when, in seconds since 1970, UTC, nothing of the user may be stored; asked before
            each batch.
        is_over: asked after each batch, an empty one as well.
    """
    total = Consumed()
    while True:
        batch = source.read()
        until = forgotten() if batch.events else {}
        wanted = [event for event in batch.events if event.timestamp_s > until.get(event.user_id, float("-inf"))]
        stored = store.append(wanted)
        source.acknowledge(batch)
        total = Consumed(
            total.stored + stored,
            total.known + len(wanted) - stored,
            total.forgotten + len(batch.events) - len(wanted),
        )
        if is_over(batch):
            return total
