"""What a detector says, and what every detector is: one Protocol. Imports nothing from this package."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = ["Alarm", "Detector", "DetectorState", "Severity"]


class Severity(StrEnum):
    """What an alarm asks for.

    `step`: leave the rung, even where the self-check finds nothing. `check`: run the self-check, and leave the rung if
    it fails. `note`: remember it; the ladder stays.
    """

    STEP = "step"
    CHECK = "check"
    NOTE = "note"


@dataclass(frozen=True)
class Alarm:
    """A signal is out of order.

    Attributes:
        signal: `ctr`, `errors`, `latency_p95`, `score`, `new_items`, `unknown_items`, `empty_context`, `self_check`.
        detector: which kind of detector says so.
        at_s: when, seconds since 1970, UTC.
        value: what was seen.
        usual: what is usual.
        message: both in words.
    """

    signal: str
    detector: str
    at_s: float
    value: float
    usual: float
    severity: Severity
    message: str


@dataclass(frozen=True)
class DetectorState:
    """Where a detector stands.

    Attributes:
        observed: values it was given.
        usual: the usual value, None while it is learned.
        evidence: how far it is on the way to an alarm; an alarm comes at `threshold`.
        alarms: how many it gave.
    """

    detector: str
    observed: int
    usual: float | None
    evidence: float
    threshold: float
    alarms: int


class Detector(Protocol):
    """Values of one signal, one by one -> an alarm when they are out of order. Stability: caller."""

    def update(self, value: float, at_s: float) -> Alarm | None:
        """Take the next value, seen at `at_s`; return an alarm when it is one too many."""
        ...

    def state(self) -> DetectorState:
        """Return where the detector stands."""
        ...

    def reset(self) -> None:
        """Forget the evidence; what is usual stays."""
        ...
