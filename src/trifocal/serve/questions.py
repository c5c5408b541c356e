"""A question on its way through the gateway. Plain values; knows no model."""

from __future__ import annotations

from dataclasses import dataclass, field

from trifocal.errors import ServingError
from trifocal.ports import StoredEvent
from trifocal.serve.asks import Ask, SessionEvent
from trifocal.serve.online import Candidates
from trifocal.serve.stages import Stopwatch
from trifocal.types import FloatArray, History, Request

__all__ = ["K_MAX", "Kept", "Question", "check_k", "stored_event"]

K_MAX = 100


@dataclass(frozen=True)
class Kept:
    """What an answer is kept under: what was known of the shopper, and when that was."""

    known: History
    now_s: float


@dataclass
class Question:
    """One question: what was asked, what was made of it so far, and how long it took."""

    ask: Ask
    request: Request
    watch: Stopwatch
    notes: tuple[str, ...]
    kept: Kept
    user: FloatArray | None = None
    candidates: Candidates | None = field(default=None, repr=False)


def stored_event(ask: Ask, event: SessionEvent, now_s: float) -> StoredEvent:
    """Return an event that came with the question as a store would give it; without a time it is of now."""
    timestamp_s = now_s if event.timestamp_s is None else event.timestamp_s
    return StoredEvent(
        "", ask.user_id or "", event.item_id, event.event, timestamp_s,
        device=ask.device, country=ask.country, value=event.value,
    )  # fmt: skip


def check_k(k: int) -> None:
    """Check the length of a list.

    Raises:
        ServingError: when it is out of range.
    """
    if not 1 <= k <= K_MAX:
        raise ServingError(f"k is {k}, it must be between 1 and {K_MAX}")
