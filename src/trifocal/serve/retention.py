"""Keeps the event store from growing for ever: once at the start and then daily, what is too old is deleted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from trifocal.ports import EventStore

__all__ = ["DAY_S", "kept_for"]

_LOGGER = logging.getLogger(__name__)

DAY_S = 86_400.0


@contextmanager
def kept_for(
    store: EventStore, days: float, *, every_s: float = DAY_S, clock: Callable[[], float] = time.time
) -> Iterator[None]:
    """Delete from `store`, inside the block and in a thread of its own, what happened more than `days` ago.

    Args:
        store: the caller closes it, after the block.
        days: 0 = nothing is deleted.
        every_s: seconds from one time to the next.
        clock: seconds since 1970, UTC.
    """
    if days == 0:
        yield
        return
    over = Event()

    def run() -> None:
        while not over.is_set():
            _prune(store, clock() - days * DAY_S)
            over.wait(every_s)

    thread = Thread(target=run, name="trifocal-retention", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _prune(store: EventStore, before_s: float) -> None:
    try:
        gone = store.prune(before_s)
    except Exception:
        # Nobody waits for this thread: what breaks here is said here, and tried again the next time.
        _LOGGER.exception("old events could not be deleted")
        return
    if gone:
        _LOGGER.info("%d old events were deleted", gone)
