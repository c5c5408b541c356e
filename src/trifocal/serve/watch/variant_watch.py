"""One ladder under watch: its signals, its self-check, its guard; and the entrance that it opens.

Variants of one engine share a ladder; each other engine has its own.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trifocal.feedback.health import Alarm, DetectorState, Guard, Move, Phase, RungTally, Settled, Severity
from trifocal.feedback.health.signals import VariantSignals
from trifocal.serve.asks import Answer
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.entrance import RUNGS
from trifocal.serve.gateway import Gateway
from trifocal.serve.watch.config import WatchConfig
from trifocal.serve.watch.self_check import CHECKED, SelfCheck
from trifocal.types import History

__all__ = ["LadderState", "VariantWatch"]

_LOGGER = logging.getLogger(__name__)

_WITH_MODEL = len(CHECKED)
# The first rung that has no answer for everybody: a shopper without a history is no fault of it.
_NOT_FOR_ALL = RUNGS.index("memory")
# Answers that were under way when the ladder moved say nothing of the rung that is in force now.
_UNDER_WAY_S = 2.0


@dataclass(frozen=True)
class LadderState:
    """Where a ladder stands.

    Attributes:
        variants: names of the variants that step onto it.
        rung: name of the rung in force.
        phase: of the guard.
        probed: name of the rung that is probed, None = none.
        cool_until_s: when the cool-down ends, seconds since 1970, UTC.
        overlaps: rung -> share of the golden items at the last self-check, 0..1.
        checks: self-checks so far.
        falls: so far.
        climbs: so far.
        signals: signal -> where its detectors stand.
        moves: the newest ones, oldest first.
    """

    variants: tuple[str, ...]
    rung: str
    phase: Phase
    probed: str | None
    cool_until_s: float
    overlaps: dict[str, float]
    checks: int
    falls: int
    climbs: int
    signals: dict[str, tuple[DetectorState, ...]]
    moves: tuple[Move, ...]


class VariantWatch:
    """Watches one ladder. Used from one thread. Stability: internal."""

    def __init__(self, name: str, config: WatchConfig) -> None:
        self.name, self._config = name, config
        self.variants: tuple[str, ...] = (name,)
        self.guard = Guard(config.guard, RUNGS, with_model=_WITH_MODEL)
        self._signals = VariantSignals(config.detectors)
        self._check: SelfCheck | None = None
        self._alarms: list[Alarm] = []
        self._overlaps: dict[str, float] = {}
        self._checks, self._place = 0, 0
        self._checked_s, self._moved_s = float("-inf"), float("-inf")
        self._answers_since = 0
        self._counts: Counter[tuple[int, str]] = Counter()
        self._probes_before = 0

    def learn(self, gateway: Gateway, catalogue: Catalogue, histories: Sequence[History], now_s: float) -> None:
        """Take what the gateway's engine answers now for right."""
        self._check = SelfCheck(gateway.engine, catalogue, histories, now_s)
        self._signals = VariantSignals(self._config.detectors)

    def renewed(self, gateway: Gateway, now_s: float) -> Move | None:
        """Begin at the top: another bundle is in force."""
        move = self.guard.renew(now_s)
        self._alarms.clear()
        return self._opened(gateway, move, now_s)

    def answered(self, answer: Answer, milliseconds: float, now_s: float) -> list[Alarm]:
        """Take an answer; return the alarms that it gave."""
        if answer.rung not in RUNGS:
            return []
        rung = RUNGS.index(answer.rung)
        self._answers_since += 1
        self._counts[rung, "answers"] += 1
        if now_s - self._moved_s < _UNDER_WAY_S:
            return []
        failed = self.guard.rung < _NOT_FOR_ALL and rung > self.guard.rung and bool(answer.items)
        score = answer.items[0].score if rung == self.guard.rung == 0 and answer.items else None
        return self._noted(self._signals.answered(failed=failed, milliseconds=milliseconds, score=score, at_s=now_s))

    def failed(self, milliseconds: float, now_s: float) -> list[Alarm]:
        """Take a request that was answered by an error of the server's own."""
        return self._noted(self._signals.answered(failed=True, milliseconds=milliseconds, score=None, at_s=now_s))

    def settled(self, settled: Settled, now_s: float) -> list[Alarm]:
        """Take the impressions of an answer, of which is known what was clicked; return the alarms."""
        rung = self.guard.rung if settled.rung is None else _number(settled.rung)
        if rung is None:
            return []
        self._counts[rung, "impressions"] += len(settled.clicks)
        self._counts[rung, "clicks"] += sum(settled.clicks)
        # Other rungs have another CTR: what is usual is that of the best one.
        if rung or self.guard.rung:
            return []
        return self._noted(self._signals.settled(settled.clicks, now_s))

    def step(self, gateway: Gateway, catalogue: Catalogue, now_s: float) -> list[Alarm]:
        """Check what is due and let the guard decide; return what the self-check had to say."""
        alarms, self._alarms = self._alarms, []
        urgent = any(alarm.severity is not Severity.NOTE for alarm in alarms)
        passed = self._checked(gateway, catalogue, now_s, urgent=urgent) if urgent or self._is_due(now_s) else None
        found = self._self_check_alarm(passed, now_s)
        if passed is not None and self.guard.rung == 0 and passed.get(0, True) and not urgent:
            gateway.last_lists.confirm()
        if not self._config.moves:
            return found
        probed = self.guard.probed
        move = self.guard.step(now_s, alarms=alarms, passed=passed, tallies=self._tallies(gateway))
        if move is not None or self.guard.probed != probed:
            self._opened(gateway, move, now_s)
        return found

    def force(self, rung: str | None, gateway: Gateway, now_s: float) -> Move | None:
        """Put a rung in force by hand; None = the guard decides again.

        Raises:
            ConfigError: when there is no such rung.
        """
        return self._opened(gateway, self.guard.force(rung, now_s), now_s)

    def state(self) -> LadderState:
        """Return where the ladder stands."""
        guard = self.guard
        return LadderState(
            variants=self.variants,
            rung=RUNGS[guard.rung],
            phase=guard.phase,
            probed=None if guard.probed is None else RUNGS[guard.probed],
            cool_until_s=guard.cool_until_s,
            overlaps=dict(self._overlaps),
            checks=self._checks,
            falls=guard.falls,
            climbs=guard.climbs,
            signals=dict(self._signals.states()),
            moves=tuple(guard.moves),
        )

    def _noted(self, alarms: list[Alarm]) -> list[Alarm]:
        self._alarms += alarms
        return alarms

    def _is_due(self, now_s: float) -> bool:
        since_s = now_s - self._checked_s
        many = self._answers_since >= self._config.check_answers and since_s >= self._config.check_least_s
        return many or since_s >= self._config.check_s

    def _checked(self, gateway: Gateway, catalogue: Catalogue, now_s: float, *, urgent: bool) -> dict[int, bool]:
        """Rung -> whether it answers the golden questions as it did; a few of them, all where something is odd."""
        check, config = self._check, self._config
        self._checked_s, self._answers_since = now_s, 0
        if check is None or not len(check):
            return {}
        self._checks += 1
        overlaps: Mapping[str, float] = {}
        if not urgent:
            places = range(self._place, self._place + config.questions_a_check)
            self._place = places.stop % len(check)
            overlaps = check.overlaps(gateway.engine, catalogue, places)
        if urgent or min(overlaps.values()) < config.overlap:
            overlaps = check.overlaps(gateway.engine, catalogue)
        self._overlaps = dict(overlaps)
        # A rung that the engine does not have is never passed.
        return {number: overlaps.get(name, 0.0) >= config.overlap for number, name in enumerate(CHECKED)}

    def _self_check_alarm(self, passed: Mapping[int, bool] | None, now_s: float) -> list[Alarm]:
        if passed is None or self.guard.rung >= _WITH_MODEL or passed.get(self.guard.rung, True):
            return []
        name = RUNGS[self.guard.rung]
        value, least = self._overlaps.get(name, 0.0), self._config.overlap
        message = f"{name} answers {value:.0%} of the golden items, at least {least:.0%} are wanted"
        return [Alarm("self_check", "golden", now_s, value, 1.0, Severity.STEP, message)]

    def _tallies(self, gateway: Gateway) -> dict[int, RungTally]:
        counts, probed = self._counts, self.guard.probed
        tallies = {
            rung: RungTally(counts[rung, "answers"], 0, counts[rung, "impressions"], counts[rung, "clicks"])
            for rung in range(len(RUNGS))
        }
        # Whom the rung in force has no answer for is answered by those below it, as a probe of a higher one may not be.
        tallies[self.guard.rung] = _together([tallies[rung] for rung in range(self.guard.rung, len(RUNGS))])
        if probed is not None:
            # A probe that failed was answered by another rung. Those of the last step have been answered by now.
            asked, self._probes_before = self._probes_before, gateway.entrance.probes
            answers = tallies[probed].answers
            failed = max(0, asked - answers) if probed < _NOT_FOR_ALL else 0
            tallies[probed] = RungTally(
                answers + failed, failed, counts[probed, "impressions"], counts[probed, "clicks"]
            )
        return tallies

    def _opened(self, gateway: Gateway, move: Move | None, now_s: float) -> Move | None:
        """Let the entrance follow the guard."""
        if move is not None:
            self._moved_s = now_s
            self._signals.reset()
            if move.kind == "fall" and move.before == RUNGS[0]:
                dropped = gateway.last_lists.drop_new()
                _LOGGER.warning("%d lists that were not confirmed were dropped", dropped)
            _LOGGER.warning("%s: from rung %s to %s: %s", self.name, move.before, move.after, move.reason)
        self._counts.clear()
        self._probes_before = 0
        gateway.entrance.open(self.guard.rung, probed=self.guard.probed, every=self._config.guard.probe_every)
        return move


def _together(tallies: Sequence[RungTally]) -> RungTally:
    return RungTally(
        sum(tally.answers for tally in tallies),
        sum(tally.failed for tally in tallies),
        sum(tally.impressions for tally in tallies),
        sum(tally.clicks for tally in tallies),
    )


def _number(rung: str) -> int | None:
    return RUNGS.index(rung) if rung in RUNGS else None
