"""After a restart: the newest events of the store -> key figures, so that the windows do not begin empty."""

from __future__ import annotations

import logging

from trifocal.ports import EventStore, StoredEvent
from trifocal.serve.watch.watch import Watch

__all__ = ["refill"]

_LOGGER = logging.getLogger(__name__)

_PAGE = 1000


def refill(watch: Watch, store: EventStore, *, since_s: float, until_s: float, most: int) -> int:
    """Count the events of `store` between two times, seconds since 1970, UTC; return how many those were.

    Args:
        watch: counts them, each at its own time.
        store: where they are kept.
        since_s: what happened before is in no window.
        until_s: what happened later is told to the watch by itself.
        most: about how many of the newest are read.
    """
    try:
        # A number is at least the place of its event, so that this passes none of the newest `most`.
        sequence, found = max(0, store.count() - most), 0
        while not watch.is_closed and (page := store.after(sequence, _PAGE)):
            sequence = page[-1][0]
            events: list[StoredEvent] = [event for _, event in page if since_s <= event.timestamp_s < until_s]
            watch.refill(events)
            found += len(events)
    except Exception:
        # Whatever breaks the store, the service answers; the windows fill from now on.
        if not watch.is_closed:
            _LOGGER.exception("the key figures begin empty: the event store cannot be read")
        return 0
    return found
