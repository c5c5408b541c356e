"""What waits to be looked at. Plain; knows no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trifocal.ports import StoredEvent
from trifocal.serve.asks import Answer

__all__ = ["Told"]


class Told(NamedTuple):
    """An answer with its milliseconds, or a request that failed (None), or events. A tuple: requests make it."""

    at_s: float
    answer: Answer | None = None
    milliseconds: float = 0.0
    events: Sequence[StoredEvent] = ()
