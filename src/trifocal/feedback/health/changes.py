"""Changes of a mean that nobody knows beforehand, by river: ADWIN and Page-Hinkley. They note, the ladder stays.

Bifet & Gavalda, "Learning from time-changing data with adaptive windowing", SDM 2007; Page, Biometrika 1954.
A day and a night differ, and both detectors say so: what they find is a change, not a fault.
"""

from __future__ import annotations

from typing import Protocol

from trifocal.errors import ConfigError
from trifocal.feedback.health.alarms import Alarm, DetectorState, Severity

__all__ = ["AdwinChange", "PageHinkleyChange"]

_LEARN = 300


class _River(Protocol):
    @property
    def drift_detected(self) -> bool: ...

    def update(self, x: float) -> None: ...


class _Change:
    """What both have in common: the mean before, and the counts."""

    def __init__(self, signal: str, kind: str, river: _River, threshold: float, severity: Severity) -> None:
        self._signal, self._kind, self._river, self._severity = signal, kind, river, severity
        self._threshold = threshold
        self._observed, self._alarms = 0, 0
        self._mean, self._recent = 0.0, 0.0

    def update(self, value: float, at_s: float) -> Alarm | None:
        """Take the next value; see `Detector`."""
        self._observed += 1
        self._river.update(value)
        self._mean += (value - self._mean) / min(self._observed, 10_000)
        self._recent += (value - self._recent) / min(self._observed, 100)
        if not self._river.drift_detected:
            return None
        self._alarms += 1
        message = f"{self._signal} changed to about {self._recent:.3g} from {self._mean:.3g}"
        return Alarm(self._signal, self._kind, at_s, self._recent, self._mean, self._severity, message)

    def state(self) -> DetectorState:
        """See `Detector`; river does not say how near a change is."""
        usual = self._mean if self._observed >= _LEARN else None
        return DetectorState(self._kind, self._observed, usual, 0.0, self._threshold, self._alarms)

    def reset(self) -> None:
        """See `Detector`: these two begin anew by themselves after each change."""


class AdwinChange(_Change):
    """A window that is cut where its two parts differ. Stability: caller."""

    def __init__(self, signal: str, *, delta: float, severity: Severity = Severity.NOTE) -> None:
        """Take the confidence: the smaller `delta`, the fewer false alarms.

        Raises:
            ConfigError: when river is missing.
        """
        try:
            from river.drift import ADWIN
        except ImportError as missing:
            raise ConfigError("drift detection needs the package river: pip install 'trifocal[serve]'") from missing
        river: _River = ADWIN(delta=delta, grace_period=_LEARN)  # type: ignore[no-untyped-call]  # river has no types here
        super().__init__(signal, "adwin", river, delta, severity)


class PageHinkleyChange(_Change):
    """The sum of what lies above or below the mean. Stability: caller."""

    def __init__(self, signal: str, *, tolerance: float, threshold: float, severity: Severity = Severity.NOTE) -> None:
        """Take what counts as no difference, and the sum at which there is an alarm.

        Raises:
            ConfigError: when river is missing.
        """
        try:
            from river.drift import PageHinkley
        except ImportError as missing:
            raise ConfigError("drift detection needs the package river: pip install 'trifocal[serve]'") from missing
        river = PageHinkley(min_instances=_LEARN, delta=tolerance, threshold=threshold, mode="both")
        super().__init__(signal, "page-hinkley", river, threshold, severity)
