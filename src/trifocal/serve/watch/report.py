"""What the watch knows, as one value. Plain; knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from trifocal.feedback.health import Alarm, DetectorState
from trifocal.feedback.kpis import WindowKpis
from trifocal.serve.watch.variant_watch import LadderState

__all__ = ["HealthReport"]


@dataclass(frozen=True)
class HealthReport:
    """Everything that the watch knows, as of `at_s`.

    Attributes:
        at_s: seconds since 1970, UTC.
        model_version: in force.
        ladders: one for each engine that answers; the first is that of the bundle.
        inputs: signal of what comes in -> where its detectors stand.
        alarms: the newest ones, oldest first.
        alarm_counts: (signal, severity) -> how many there were.
        kpis: one for each window.
        skipped: answers and batches of events that were not looked at, because the queue was full.
    """

    at_s: float
    model_version: str
    ladders: tuple[LadderState, ...]
    inputs: dict[str, tuple[DetectorState, ...]]
    alarms: tuple[Alarm, ...]
    alarm_counts: dict[tuple[str, str], int]
    kpis: tuple[WindowKpis, ...]
    skipped: int
