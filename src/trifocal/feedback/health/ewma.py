"""EWMA control chart: a smoothed value against the spread that it had while it was learned.

Roberts, "Control chart tests based on geometric moving averages", Technometrics 1959:

    z = (1 - w) z + w x        out of order where |z - mean| > limit * deviation * sqrt(w / (2 - w))
"""

from __future__ import annotations

import math
from typing import Literal

from trifocal.feedback.health.alarms import Alarm, DetectorState, Severity

__all__ = ["EwmaChart"]

# Weight of the newest value: half the weight lies on the last two to three.
_WEIGHT = 0.25
_SMOOTHED = math.sqrt(_WEIGHT / (2 - _WEIGHT))


class EwmaChart:
    """A value that has a usual level and spread, learned from the first values. Stability: caller.

    Learned from 9, 11, 9, 11: mean 10, deviation 1. Then 20 makes z = 12.5, (12.5 - 10) / .378 = 6.6 deviations.

    >>> chart = EwmaChart("score", learn=4, limit=6.0)
    >>> [chart.update(x, 0.0) for x in (9, 11, 9, 11)] == [None] * 4
    True
    >>> chart.update(20, 0.0).message
    'score is 12.5, usual is 10'
    """

    def __init__(
        self,
        signal: str,
        *,
        learn: int,
        limit: float,
        side: Literal["both", "above", "below"] = "both",
        least_deviation: float = 1e-6,
        severity: Severity = Severity.CHECK,
    ) -> None:
        """Set the chart up.

        Args:
            signal: as alarms name it.
            learn: values that mean and deviation are learned from.
            limit: deviations of z at which there is an alarm.
            side: on which side of the usual an alarm may lie.
            least_deviation: a smaller one counts as this.
            severity: of the alarms.
        """
        self._signal, self._learn, self._limit, self._side = signal, learn, limit, side
        self._least, self._severity = least_deviation, severity
        self._count, self._mean, self._squares = 0, 0.0, 0.0
        self._smoothed, self._alarms, self._observed = 0.0, 0, 0

    def update(self, value: float, at_s: float) -> Alarm | None:
        """Take the next value; see `Detector`."""
        self._observed += 1
        if self._count < self._learn:
            self._learn_from(value)
            return None
        self._smoothed += _WEIGHT * (value - self._smoothed)
        if self._distance() < self._limit:
            return None
        self._alarms += 1
        message = f"{self._signal} is {self._smoothed:.4g}, usual is {self._mean:.4g}"
        alarm = Alarm(self._signal, "ewma", at_s, self._smoothed, self._mean, self._severity, message)
        self.reset()
        return alarm

    def state(self) -> DetectorState:
        """See `Detector`."""
        usual = self._mean if self._count >= self._learn else None
        return DetectorState("ewma", self._observed, usual, max(self._distance(), 0.0), self._limit, self._alarms)

    def reset(self) -> None:
        """See `Detector`."""
        self._smoothed = self._mean

    def _learn_from(self, value: float) -> None:
        # Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 1962.
        self._count += 1
        step = value - self._mean
        self._mean += step / self._count
        self._squares += step * (value - self._mean)
        self._smoothed = self._mean

    def _distance(self) -> float:
        """Deviations of z from the mean, on the side that counts."""
        deviation = max(math.sqrt(self._squares / max(self._count, 1)), self._least)
        distance = (self._smoothed - self._mean) / (deviation * _SMOOTHED)
        match self._side:
            case "above":
                return distance
            case "below":
                return -distance
            case "both":
                return abs(distance)
