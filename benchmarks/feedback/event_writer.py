"""A process that appends events at full rate until it is killed.

`python -m benchmarks.feedback.event_writer ADDRESS FIRST COUNT`. Each batch that was acknowledged is a line with the
number of events so far. A batch that failed is sent again under the same ids, as a client does.
"""

from __future__ import annotations

import sys
import time

from sqlalchemy.exc import DBAPIError

from trifocal.feedback.sql import SqlEventStore
from trifocal.ports import StoredEvent

__all__ = ["BATCH", "batch_of", "event_id"]

BATCH = 100
_RETRY_S = 0.02


def event_id(number: int) -> str:
    """Return the id of event `number`, the same in every process."""
    return f"event-{number}"


def batch_of(first: int) -> list[StoredEvent]:
    """Return the events `first` to `first + BATCH - 1`, of the size of real impressions."""
    return [
        StoredEvent(
            event_id=event_id(number),
            user_id=f"user-{number % 997}",
            item_id=f"item-{number % 1499}",
            event="impression",
            timestamp_s=1.7e9 + number / 100,
            session_id=f"session-{number % 997}-{number // 9970}",
            device="phone",
            country="NL",
            position=number % 10 + 1,
            answer_id=f"{number // 10:032x}",
            propensity=1.0,
            model_version="0123456789ab",
            variant="main",
            rung="full",
        )
        for number in range(first, first + BATCH)
    ]


def write(address: str, first: int, count: int) -> None:
    """Append the events `first` to `count - 1`, saying after each batch how far it is."""
    store = SqlEventStore(address)
    for number in range(first, count, BATCH):
        events = batch_of(number)
        while not _appended(store, events):
            time.sleep(_RETRY_S)
        sys.stdout.write(f"{number + BATCH}\n")
        sys.stdout.flush()
    store.close()


def _appended(store: SqlEventStore, events: list[StoredEvent]) -> bool:
    try:
        store.append(events)
    except DBAPIError as error:
        # The server is away; whether it had stored the batch is not known: the ids tell.
        sys.stderr.write(f"{type(error).__name__}\n")
        return False
    return True


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
