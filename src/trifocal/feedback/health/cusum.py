"""CUSUM over successes and failures: a share that falls, or one that rises.

Page, "Continuous inspection schemes", Biometrika 1954. The evidence is

    S = max(0, S + log P(x | changed) / P(x | usual) / phi)

where x is 1 or 0 and phi >= 1 makes up for what lies closer together than chance would have it, as the clicks of one
user do: the variance of blocks of values over that of independent ones.

Between usual p and changed q the evidence stands still on average at log((1-q)/(1-p)) / (log(p/q) + log((1-q)/(1-p))):
for p = .1 and q = .03 that is .058. A day that swings by a third stays above it, and no alarm comes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from trifocal.feedback.health.alarms import Alarm, DetectorState, Severity

__all__ = ["ShareCusum", "ShareFall"]

# Values a block, to see how much closer together they lie than chance would have it: about one list of items.
_BLOCK = 10
# The usual share follows the hour within some thousand values, the season within ten times as many: the weight of a
# value falls to a third after so many. By the hour it falls to this part of the season's at most, or a day that begins
# with a fall would take it for the usual. Set by simulation: `benchmarks.feedback.anomalies`.
_MEMORY, _LONG_MEMORY, _LEAST_OF_LONG = 1500, 20_000, 0.7
_LEAST_SHARE = 1e-4
# Part of the evidence for an alarm from which on nothing is learned.
_FOUND_OUT = 0.5


class ShareCusum:
    """A share that is known, and one that it must not come to. Stability: caller.

    Usual .1, changed .5: a success weighs log 5 = 1.609, a failure log(.5 / .9) = -.588.

    >>> detector = ShareCusum("errors", usual=0.1, changed=0.5, threshold=3.0)
    >>> [detector.update(x, 0.0) is None for x in (1, 0, 1, 1)]
    [True, True, True, False]
    """

    def __init__(
        self, signal: str, *, usual: float, changed: float, threshold: float, severity: Severity = Severity.STEP
    ) -> None:
        """Take the shares, 0..1, and the evidence at which there is an alarm."""
        self._signal, self._threshold, self._severity = signal, threshold, severity
        self._usual, self._changed = usual, changed
        self._success = math.log(changed / usual)
        self._failure = math.log((1 - changed) / (1 - usual))
        self._evidence, self._observed, self._alarms = 0.0, 0, 0

    def update(self, value: float, at_s: float) -> Alarm | None:
        """Take 1 or 0; see `Detector`."""
        self._observed += 1
        self._evidence = max(0.0, self._evidence + (self._success if value else self._failure))
        if self._evidence < self._threshold:
            return None
        self._evidence = 0.0
        self._alarms += 1
        message = f"the share of {self._signal} is nearer {self._changed:.3g} than the usual {self._usual:.3g}"
        return Alarm(self._signal, "cusum", at_s, self._changed, self._usual, self._severity, message)

    def state(self) -> DetectorState:
        """See `Detector`."""
        return DetectorState("cusum", self._observed, self._usual, self._evidence, self._threshold, self._alarms)

    def reset(self) -> None:
        """See `Detector`."""
        self._evidence = 0.0


class ShareFall:
    """A share that is learned from the first values, and may fall, little or far. Stability: caller.

    Evidence for a deep fall stands still at a lower share than that for a small one, so that it needs less of it.
    """

    def __init__(
        self,
        signal: str,
        *,
        falls: Sequence[tuple[float, float]],
        learn: int,
        severity: Severity = Severity.STEP,
    ) -> None:
        """Set the detector up.

        Args:
            signal: as alarms name it.
            falls: the changed share as a part of the usual one, 0..1, and the evidence of it at which there is an
                alarm; any number of them.
            learn: values from which the usual share is learned.
            severity: of the alarms.
        """
        self._signal, self._falls, self._severity = signal, tuple(falls), severity
        self._learn = learn
        self._usual, self._long, self._closeness = 0.0, 0.0, 1.0
        self._evidence, self._observed, self._alarms = [0.0] * len(self._falls), 0, 0
        self._learned, self._successes = 0, 0.0
        self._block: list[float] = []
        self._squares, self._blocks = 0.0, 0
        self._recent = 0.0

    def update(self, value: float, at_s: float) -> Alarm | None:
        """Take 1 or 0; see `Detector`."""
        self._observed += 1
        if self._learned < self._learn:
            self._learn_from(value)
            return None
        self._recent += (value - self._recent) / 100
        self._weigh(value)
        nearest = self._nearest()
        if nearest >= 1:
            return self._alarm(at_s)
        # A fall must not become usual while it is being found out.
        if nearest < _FOUND_OUT:
            self._long += (value - self._long) / _LONG_MEMORY
            self._usual = max(self._usual + (value - self._usual) / _MEMORY, _LEAST_OF_LONG * self._long)
        return None

    def state(self) -> DetectorState:
        """See `Detector`."""
        usual = self._usual if self._learned >= self._learn else None
        return DetectorState("cusum", self._observed, usual, self._nearest(), 1.0, self._alarms)

    def reset(self) -> None:
        """See `Detector`."""
        self._evidence = [0.0] * len(self._falls)

    def _weigh(self, value: float) -> None:
        usual = min(max(self._usual, _LEAST_SHARE), 0.99)
        for place, (fall, _) in enumerate(self._falls):
            weight = math.log(fall) if value else math.log((1 - fall * usual) / (1 - usual))
            self._evidence[place] = max(0.0, self._evidence[place] + weight / self._closeness)

    def _nearest(self) -> float:
        """The greatest evidence as a part of what makes an alarm."""
        return max(evidence / threshold for evidence, (_, threshold) in zip(self._evidence, self._falls, strict=True))

    def _learn_from(self, value: float) -> None:
        self._learned += 1
        self._successes += value
        self._block.append(value)
        if len(self._block) == _BLOCK:
            self._squares += sum(self._block) ** 2
            self._blocks += 1
            self._block.clear()
        if self._learned == self._learn:
            self._usual = self._long = self._recent = self._successes / self._learned
            self._closeness = self._measured_closeness()

    def _measured_closeness(self) -> float:
        expected = _BLOCK * self._usual
        variance = self._squares / max(self._blocks, 1) - expected**2
        independent = _BLOCK * self._usual * (1 - self._usual)
        return max(1.0, variance / independent) if independent > 0 else 1.0

    def _alarm(self, at_s: float) -> Alarm:
        self.reset()
        self._alarms += 1
        message = f"{self._signal} fell to {self._recent:.3g} from the usual {self._usual:.3g}"
        return Alarm(self._signal, "cusum", at_s, self._recent, self._usual, self._severity, message)
