"""The experiment of a running server: who gets which variant, how each does, and when one has to go.

```
request ─► assigned ─► the variant's gateway
store ─► tally ─► guard rails, every few seconds ─► stopped: its shoppers get the control
```

The figures come from the event store, by number: nothing is counted twice, a restart counts all of it again, and
several processes on one store come to the same verdict.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock

from trifocal.errors import NotFoundError, ServingError
from trifocal.feedback.experiments import (
    Assignment,
    Difference,
    GuardRail,
    GuardVerdict,
    MeanEstimate,
    SequentialPlan,
    check_rail,
    compare,
)
from trifocal.feedback.experiments.sample_ratio import always_valid_mismatch_p
from trifocal.ports import EventStore
from trifocal.serve.asks import Ask
from trifocal.serve.experiment.config import ExperimentConfig
from trifocal.serve.experiment.notes import Notes, NotesFile, Stop
from trifocal.serve.experiment.tally import Tally, newest_number

__all__ = ["FORCED", "STOPPED", "Experiment", "Figures", "Overview", "VariantState"]

_LOGGER = logging.getLogger(__name__)

FORCED, STOPPED = "forced:", "stopped:"
"""Before the variant's name in answers that do not count: asked for by name, or by the control in its place."""


@dataclass(frozen=True)
class Figures:
    """How a variant does by one metric; the difference to the control, None for the control itself."""

    estimate: MeanEstimate
    difference: Difference | None


@dataclass(frozen=True)
class VariantState:
    """Where a variant stands.

    Attributes:
        totals: impressions, clicks, shoppers who bought.
        figures: by metric.
        rails: what its guard rails say; none for the control.
        stop: why it is not shown, or None.
    """

    name: str
    share: float
    totals: tuple[int, int, int]
    figures: Mapping[str, Figures]
    rails: tuple[GuardVerdict, ...]
    stop: Stop | None


@dataclass(frozen=True)
class Overview:
    """Where the experiment stands.

    Attributes:
        since_s: when it began, seconds since 1970, UTC.
        looked_s: when the figures were counted, or None = not yet.
        sample_ratio_p: always valid; of the variants that are not stopped, whether they got their shares.
        stops: by guard rails, since this process started.
    """

    name: str
    since_s: float
    looked_s: float | None
    variants: tuple[VariantState, ...]
    sample_ratio_p: float
    stops: int


class Experiment:
    """Assigns, watches and stops. Safe to use from several threads. Stability: caller."""

    def __init__(
        self,
        config: ExperimentConfig,
        store: EventStore,
        notes: NotesFile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Go on with what `notes` say of the experiment, or begin it now.

        Args:
            config: with two variants or more.
            store: of live events; the caller closes it.
            notes: keep what outlives a restart; None = in memory.
            clock: seconds since 1970, UTC.

        Raises:
            ArtifactError: when the notes cannot be read or written.
        """
        self._config, self._store, self._clock = config, store, clock
        self._variants = {variant.name: variant for variant in config.variants}
        self._control = config.variants[0].name
        shares = {variant.name: variant.share for variant in config.variants}
        self._assignment = Assignment(config.name, config.salt, shares)
        self._plan = SequentialPlan(config.planned_shoppers)
        self._rails = tuple(GuardRail(rail.metric, rail.tolerated, alpha=rail.alpha) for rail in config.guard_rails)
        self._file, self._lock = notes or NotesFile(), Lock()
        self._notes = self._file.read(config.name) or self._begun()
        self._tally = Tally(list(shares), self._notes.after)
        self._stops, self._unkept = 0, False
        self._overview = self._counted(None)

    def assigned(self, ask: Ask, *, session_id: str | None = None, forced: str | None = None) -> Ask:
        """Return `ask` with its variant: by user id, else by session id or the first event, else the control.

        Raises:
            NotFoundError: when there is no variant of the name `forced`.
        """
        if forced is not None and forced not in self._variants:
            raise NotFoundError(f"there is no variant {forced!r}; name one of {', '.join(self._variants)}")
        if forced is not None:
            return self._asking(ask, forced, f"{FORCED}{forced}")
        key = ask.user_id or session_id or _first_event(ask)
        name = self._control if key is None else self._assignment.variant(key)
        if name in self._notes.stopped:
            return self._asking(ask, self._control, f"{STOPPED}{name}")
        return self._asking(ask, name, None)

    def stop(self, variant: str, reason: str = "") -> Overview:
        """Give the shoppers of `variant` the control from now on.

        Raises:
            NotFoundError: when there is no such variant.
            ServingError: when it is the control.
            ArtifactError: when the notes cannot be kept; it is stopped here all the same.
        """
        self._check(variant)
        with self._lock:
            self._stop(variant, Stop(self._clock(), "hand", reason or "stopped by hand"))
        return self.overview()

    def resume(self, variant: str) -> Overview:
        """Show `variant` again and count from now on, since what was counted is of the variant before its repair.

        Raises:
            NotFoundError: when there is no such variant.
            ServingError: when it is the control.
            ArtifactError: when the notes cannot be kept; it is shown here all the same.
        """
        self._check(variant)
        with self._lock:
            _LOGGER.warning("experiment %s: variant %s is shown again", self._config.name, variant)
            self._adopt(replace(self._notes.without_stop(variant), after=newest_number(self._store)))
            self._overview = self._counted(None)
            self._keep()
        return self.overview()

    def check(self) -> Overview:
        """Count what is new in the store, and stop whoever left a guard rail.

        Raises:
            ArtifactError: when the notes cannot be read or kept.
        """
        with self._lock:
            self._look_into_notes()
            self._tally.read(self._store)
            self._overview = self._counted(self._clock())
            for variant in self._overview.variants:
                left = next((rail for rail in variant.rails if rail.stop), None)
                if left is not None and variant.name not in self._notes.stopped:
                    self._stops += 1
                    self._stop(variant.name, Stop(self._clock(), "guard rail", _because(left)))
        return self.overview()

    def overview(self) -> Overview:
        """Return where the experiment stands, by the figures of the last check."""
        found, stopped = self._overview, self._notes.stopped
        variants = tuple(replace(variant, stop=stopped.get(variant.name)) for variant in found.variants)
        return replace(found, variants=variants, stops=self._stops)

    def _asking(self, ask: Ask, name: str, answered_as: str | None) -> Ask:
        usual = self._variants[name].diversity
        diversity = ask.diversity if ask.diversity or usual is None else usual
        return replace(ask, variant=name, answered_as=answered_as, diversity=diversity)

    def _begun(self) -> Notes:
        notes = Notes(self._clock(), newest_number(self._store))
        self._file.write(self._config.name, notes)
        return notes

    def _check(self, variant: str) -> None:
        if variant not in self._variants:
            raise NotFoundError(f"there is no variant {variant!r}; name one of {', '.join(self._variants)}")
        if variant == self._control:
            raise ServingError(f"{variant!r} is the control, which the shoppers of others get; stop one of those")

    def _stop(self, variant: str, stop: Stop) -> None:
        _LOGGER.warning("experiment %s: variant %s is stopped (%s)", self._config.name, variant, stop.reason)
        self._adopt(self._notes.with_stop(variant, stop))
        self._keep()

    def _adopt(self, notes: Notes) -> None:
        if notes.after != self._notes.after:
            self._tally = Tally(list(self._variants), notes.after)
        self._notes = notes

    def _keep(self) -> None:
        # What cannot be kept is in force all the same, and the next check tries again.
        self._unkept = True
        self._file.write(self._config.name, self._notes)
        self._unkept = False

    def _look_into_notes(self) -> None:
        """Keep what could not be kept; else take over what another process on the same notes stopped or resumed."""
        if self._unkept:
            self._keep()
        self._adopt(self._file.read(self._config.name) or self._notes)

    def _counted(self, looked_s: float | None) -> Overview:
        estimates, totals = self._tally.estimates(), self._tally.totals()
        control = estimates[self._control]

        def state(name: str, share: float) -> VariantState:
            mine, other = estimates[name], name != self._control
            figures = {
                metric: Figures(found, compare(control[metric], found, self._plan) if other else None)
                for metric, found in mine.items()
            }
            rails = tuple(check_rail(rail, control[rail.metric], mine[rail.metric], self._plan) for rail in self._rails)
            return VariantState(name, share, totals[name], figures, rails if other else (), None)

        variants = tuple(state(variant.name, variant.share) for variant in self._config.variants)
        ratio_p = self._sample_ratio_p({name: found["conversion"].shoppers for name, found in estimates.items()})
        return Overview(self._config.name, self._notes.since_s, looked_s, variants, ratio_p, self._stops)

    def _sample_ratio_p(self, shoppers: Mapping[str, int]) -> float:
        # A variant that is stopped gets nobody new, while the others go on by their shares.
        running = {name: share for name, share in self._assignment.shares.items() if name not in self._notes.stopped}
        return always_valid_mismatch_p({name: shoppers[name] for name in running}, running)


def _first_event(ask: Ask) -> str | None:
    if not ask.session:
        return None
    first = ask.session[0]
    return f"{first.item_id} {first.timestamp_s}"


def _because(rail: GuardVerdict) -> str:
    return f"{rail.metric} loses at least {rail.least_loss:.4f}, and {rail.limit:.4f} is tolerated"
