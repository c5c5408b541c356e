"""The ladder that moves by itself: alarms and self-checks -> the rung in force. Pure: no clock, no model, no thread.

```
             alarm, or the rung fails its self-check                      (hysteresis)
steady ─────────────────────────────────────────────► cooling ── cool-down over, and ──► probing
  ▲                                                      ▲        checks_passed times      │
  │                                                      └──────── probes are worse ───────┤
  └──────────────── one rung up; at the top: steady ◄───────────── probes are no worse ────┘
```
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trifocal.errors import ConfigError
from trifocal.feedback.health.alarms import Alarm, Severity
from trifocal.feedback.health.config import GuardConfig

__all__ = ["Guard", "Move", "Phase", "RungTally"]

Phase = Literal["steady", "cooling", "probing", "forced"]

# Impressions on either side below which CTRs are not compared.
_LEAST_IMPRESSIONS = 100


@dataclass(frozen=True)
class Move:
    """The ladder moved.

    Attributes:
        at_s: when, seconds since 1970, UTC.
        before: name of the rung that was in force.
        after: name of the rung that is.
        reason: in words.
    """

    at_s: float
    before: str
    after: str
    kind: Literal["fall", "climb", "forced", "new bundle"]
    reason: str


@dataclass(frozen=True)
class RungTally:
    """What one rung did since probing began: answers, those that failed, settled impressions and their clicks."""

    answers: int = 0
    failed: int = 0
    impressions: int = 0
    clicks: int = 0


class Guard:
    """Decides which rung is in force. Used from one thread. Stability: caller.

    Attributes:
        rung: number of the rung in force, 0 = best.
        probed: number of the rung that is probed, None = none.
        moves: the newest moves, oldest first.
    """

    def __init__(self, config: GuardConfig, rungs: Sequence[str], *, with_model: int = 3) -> None:
        """Begin at the top.

        Args:
            config: patience.
            rungs: names, best first.
            with_model: how many of them, from the top, ask the model or its memory: below those an alarm moves nothing.
        """
        self._config, self._rungs, self._with_model = config, tuple(rungs), with_model
        self.rung = 0
        self.probed: int | None = None
        self.moves: deque[Move] = deque(maxlen=config.moves_kept)
        self.falls = self.climbs = 0
        self._forced = False
        self._cool_until_s = 0.0
        self._cool_down_s = config.cool_down_s
        self._climbed_s = -math.inf
        self._passed = 0
        self._probing_since_s = 0.0

    @property
    def phase(self) -> Phase:
        """Where the guard stands."""
        if self._forced:
            return "forced"
        if self.rung == 0:
            return "steady"
        return "cooling" if self.probed is None else "probing"

    @property
    def cool_until_s(self) -> float:
        """When the cool-down ends, seconds since 1970, UTC."""
        return self._cool_until_s

    def force(self, rung: str | None, at_s: float) -> Move | None:
        """Put `rung` in force until further notice; None = the guard decides again. Return the move, if it is one.

        Raises:
            ConfigError: when there is no such rung.
        """
        if rung is None:
            self._forced = False
            self._cool(at_s, self._config.cool_down_s)
            return None
        if rung not in self._rungs:
            raise ConfigError(f"there is no rung {rung!r}; the rungs are {', '.join(self._rungs)}")
        self._forced, self.probed = True, None
        return self._move(self._rungs.index(rung), "forced", "by hand", at_s)

    def renew(self, at_s: float) -> Move | None:
        """Begin at the top again: another bundle is in force. A rung that was forced stays."""
        if self._forced:
            return None
        self.probed, self._cool_down_s, self._climbed_s = None, self._config.cool_down_s, -math.inf
        return self._move(0, "new bundle", "another bundle is in force", at_s)

    def step(
        self,
        at_s: float,
        *,
        alarms: Sequence[Alarm] = (),
        passed: Mapping[int, bool] | None = None,
        tallies: Mapping[int, RungTally] | None = None,
    ) -> Move | None:
        """Decide anew; return the move, if it is one.

        Args:
            at_s: seconds since 1970, UTC, never going back.
            alarms: since the last step, of the rung in force.
            passed: rung -> whether it passed a self-check just now; a rung that is absent counts as passing. None =
                there was no self-check.
            tallies: rung -> what it did since probing began.
        """
        if self._forced:
            return None
        fault = self._fault(alarms, passed or {})
        if fault is not None:
            return self._fall(fault, passed or {}, at_s)
        if self.rung == 0:
            return None
        if self.probed is None:
            self._maybe_probe(passed, at_s)
            return None
        return self._judged(passed or {}, tallies or {}, at_s)

    def _fault(self, alarms: Sequence[Alarm], passed: Mapping[int, bool]) -> str | None:
        """Why the rung in force must be left, or None."""
        if self.rung >= self._with_model:
            return None
        steps = [alarm for alarm in alarms if alarm.severity is Severity.STEP]
        if steps:
            return steps[0].message
        if not passed.get(self.rung, True):
            return f"{self._rungs[self.rung]} failed the self-check"
        return None

    def _fall(self, reason: str, passed: Mapping[int, bool], at_s: float) -> Move | None:
        below = range(self.rung + 1, len(self._rungs))
        target = next((rung for rung in below if passed.get(rung, True)), len(self._rungs) - 1)
        if at_s - self._climbed_s <= self._config.relapse_s:
            self._cool_down_s = min(2 * self._cool_down_s, self._config.cool_down_most_s)
        else:
            self._cool_down_s = self._config.cool_down_s
        self._cool(at_s, self._cool_down_s)
        self.falls += 1
        return self._move(target, "fall", reason, at_s)

    def _cool(self, at_s: float, seconds: float) -> None:
        self._cool_until_s, self._passed, self.probed = at_s + seconds, 0, None

    def _maybe_probe(self, passed: Mapping[int, bool] | None, at_s: float) -> None:
        if passed is None or at_s < self._cool_until_s:
            return
        target = self._above(passed)
        self._passed = 0 if target is None else self._passed + 1
        if self._passed >= self._config.checks_passed:
            self.probed, self._probing_since_s = target, at_s

    def _above(self, passed: Mapping[int, bool]) -> int | None:
        """The next higher rung that passes, None where there is none."""
        return next((rung for rung in range(self.rung - 1, -1, -1) if passed.get(rung, True)), None)

    def _judged(self, passed: Mapping[int, bool], tallies: Mapping[int, RungTally], at_s: float) -> Move | None:
        probed = self.probed
        if probed is None:
            return None
        if not passed.get(probed, True):
            self._cool(at_s, self._cool_down_s)
            return None
        probes, others = tallies.get(probed, RungTally()), tallies.get(self.rung, RungTally())
        if probes.failed > self._config.probe_errors * max(probes.answers, self._config.probe_answers):
            self._cool(at_s, self._cool_down_s)
            return None
        waited = at_s - self._probing_since_s >= self._config.probe_s
        if probes.answers < self._config.probe_answers and not waited:
            return None
        if is_lower(probes, others, self._config.probe_deviations):
            self._cool(at_s, self._cool_down_s)
            return None
        reason = f"{probes.answers} probes were no worse, and the self-check passes"
        self.climbs += 1
        self._climbed_s = at_s
        # A rung that was just reached has no cool-down of its own: the next one has to pass its checks and probes.
        self._cool(at_s, 0.0)
        return self._move(probed, "climb", reason, at_s)

    def _move(
        self, rung: int, kind: Literal["fall", "climb", "forced", "new bundle"], reason: str, at_s: float
    ) -> Move | None:
        if rung == self.rung:
            return None
        move = Move(at_s, self._rungs[self.rung], self._rungs[rung], kind, reason)
        self.rung = rung
        self.moves.append(move)
        return move


def is_lower(probes: RungTally, others: RungTally, deviations: float) -> bool:
    """Return whether the CTR of `probes` is below that of `others` by more than `deviations` standard errors.

    10 of 100 against 25 of 100: pooled .175, standard error sqrt(.175 x .825 x .02) = .0537, apart by 2.79.

    >>> is_lower(RungTally(impressions=100, clicks=10), RungTally(impressions=100, clicks=25), 2.7)
    True
    >>> is_lower(RungTally(impressions=100, clicks=10), RungTally(impressions=100, clicks=25), 2.8)
    False
    """
    if min(probes.impressions, others.impressions) < _LEAST_IMPRESSIONS:
        return False
    pooled = (probes.clicks + others.clicks) / (probes.impressions + others.impressions)
    error = math.sqrt(pooled * (1 - pooled) * (1 / probes.impressions + 1 / others.impressions))
    if error == 0:
        return False
    apart = others.clicks / others.impressions - probes.clicks / probes.impressions
    return apart / error > deviations
