"""What is watched, each signal with its detectors: of one variant, and of what comes in. Pure; bounded.

| signal | detectors | asks for |
|---|---|---|
| `ctr` | CUSUM on settled impressions; ADWIN | step; note |
| `errors` | CUSUM on answers that failed | step |
| `latency_p95` | EWMA chart on the log of the p95 of ten seconds | step |
| `score` | EWMA chart on the median best score of 50 full answers | check |
| `new_items` | EWMA chart on the likeness of a new item to its nearest neighbour | check |
| `unknown_items`, `empty_context` | ADWIN, Page-Hinkley on events | note |
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import median

import numpy as np

from trifocal.feedback.health.alarms import Alarm, Detector, DetectorState, Severity
from trifocal.feedback.health.changes import AdwinChange, PageHinkleyChange
from trifocal.feedback.health.config import DetectorConfig
from trifocal.feedback.health.cusum import ShareCusum, ShareFall
from trifocal.feedback.health.ewma import EwmaChart

__all__ = ["InputSignals", "VariantSignals"]

_LATENCY_WINDOW_S, _LATENCIES_LEAST, _LATENCIES_MOST = 10.0, 20, 5000
_SCORES = 50
# A machine's weather moves the log of a p95 by about this much.
_LATENCY_DEVIATION, _SCORE_DEVIATION = 0.15, 1e-3
_LIKENESS_DEVIATION = 0.02
# Shares of events without a device swing with who comes; a sum of 50 is about 100 events that differ by a half.
_CONTEXT_TOLERANCE, _CONTEXT_THRESHOLD = 0.05, 50.0


class VariantSignals:
    """The signals of one variant. Used from one thread. Stability: internal."""

    def __init__(self, config: DetectorConfig) -> None:
        self._config = config
        self._detectors: dict[str, tuple[Detector, ...]] = {
            "ctr": (
                ShareFall(
                    "ctr",
                    falls=(
                        (config.ctr_fall, config.ctr_threshold),
                        (config.ctr_collapse, config.collapse_threshold),
                    ),
                    learn=config.learn_impressions,
                ),
                AdwinChange("ctr", delta=config.drift_delta),
            ),
            "errors": (
                ShareCusum(
                    "errors", usual=config.error_rate, changed=config.error_rise, threshold=config.error_threshold
                ),
            ),
            "latency_p95": (
                EwmaChart(
                    "latency_p95",
                    learn=config.learn_values,
                    limit=config.chart_limit,
                    side="above",
                    least_deviation=_LATENCY_DEVIATION,
                    severity=Severity.STEP,
                ),
            ),
            "score": (
                EwmaChart(
                    "score",
                    learn=config.learn_values,
                    limit=config.chart_limit,
                    least_deviation=_SCORE_DEVIATION,
                ),
            ),
        }
        self._latencies: list[float] = []
        self._latencies_since_s = 0.0
        self._scores: list[float] = []

    def settled(self, clicks: Iterable[int], at_s: float) -> list[Alarm]:
        """Take the settled impressions of one full answer."""
        return [alarm for click in clicks for alarm in _told(self._detectors["ctr"], float(click), at_s)]

    def answered(self, *, failed: bool, milliseconds: float, score: float | None, at_s: float) -> list[Alarm]:
        """Take an answer: whether it failed, how long it took, and the score of its best item if a full one."""
        alarms = _told(self._detectors["errors"], float(failed), at_s)
        alarms += self._timed(milliseconds, at_s)
        if score is not None and math.isfinite(score):
            alarms += self._scored(score, at_s)
        return alarms

    def reset(self) -> None:
        """Forget the evidence: another rung is in force."""
        self._latencies.clear()
        self._scores.clear()
        for detector in (detector for some in self._detectors.values() for detector in some):
            detector.reset()

    def states(self) -> Mapping[str, tuple[DetectorState, ...]]:
        """Return where the detectors of each signal stand."""
        return {signal: tuple(each.state() for each in some) for signal, some in self._detectors.items()}

    def _timed(self, milliseconds: float, at_s: float) -> list[Alarm]:
        if not self._latencies:
            self._latencies_since_s = at_s
        if len(self._latencies) < _LATENCIES_MOST:
            self._latencies.append(milliseconds)
        if at_s - self._latencies_since_s < _LATENCY_WINDOW_S or len(self._latencies) < _LATENCIES_LEAST:
            return []
        p95 = float(np.percentile(self._latencies, 95))
        self._latencies.clear()
        alarms = _told(self._detectors["latency_p95"], math.log(max(p95, 0.1)), at_s)
        return alarms if p95 >= self._config.latency_least_ms else []

    def _scored(self, score: float, at_s: float) -> list[Alarm]:
        self._scores.append(score)
        if len(self._scores) < _SCORES:
            return []
        # The median: shoppers differ in their scores, half of them do not all at once.
        middle = median(self._scores)
        self._scores.clear()
        return _told(self._detectors["score"], middle, at_s)


class InputSignals:
    """The signals of what comes in: events and new items. Used from one thread. Stability: internal."""

    def __init__(self, config: DetectorConfig) -> None:
        self._detectors: dict[str, tuple[Detector, ...]] = {
            "unknown_items": (AdwinChange("unknown_items", delta=config.drift_delta),),
            "empty_context": (
                PageHinkleyChange("empty_context", tolerance=_CONTEXT_TOLERANCE, threshold=_CONTEXT_THRESHOLD),
            ),
            "new_items": (
                EwmaChart(
                    "new_items",
                    learn=config.learn_values,
                    limit=config.chart_limit,
                    side="below",
                    least_deviation=_LIKENESS_DEVIATION,
                ),
            ),
        }

    def event(self, *, is_known_item: bool, has_context: bool, at_s: float) -> list[Alarm]:
        """Take an event: whether its item is in the catalogue, and whether it names a device or a country."""
        return [
            *_told(self._detectors["unknown_items"], float(not is_known_item), at_s),
            *_told(self._detectors["empty_context"], float(not has_context), at_s),
        ]

    def new_item(self, likeness: float, at_s: float) -> list[Alarm]:
        """Take a new item: the greatest cosine of its vector to a sample of the catalogue."""
        return _told(self._detectors["new_items"], likeness, at_s)

    def states(self) -> Mapping[str, tuple[DetectorState, ...]]:
        """Return where the detectors of each signal stand."""
        return {signal: tuple(each.state() for each in some) for signal, some in self._detectors.items()}


def _told(detectors: Iterable[Detector], value: float, at_s: float) -> list[Alarm]:
    found = [detector.update(value, at_s) for detector in detectors]
    return [alarm for alarm in found if alarm is not None]
