"""Looks -> the verdict of each candidate: the first thing that was certain stands, whatever comes later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trifocal.feedback.experiments.analysis import Experiment, Look
from trifocal.feedback.experiments.sample_ratio import MISMATCH_P
from trifocal.feedback.experiments.shoppers import METRICS

__all__ = ["Outcome", "Verdict", "least_p", "verdict_of"]

Outcome = Literal["broken", "harmful", "better", "worse", "open"]


@dataclass(frozen=True)
class Verdict:
    """Where a candidate stands. Stability: full.

    Attributes:
        candidate: which variant.
        outcome: `broken` = the sample ratio is wrong, no figure counts; `harmful` = a guard rail was left; `better`,
            `worse` = the primary metric decided; `open` = go on.
        because: one sentence with the figures.
        shoppers: of all variants, when it was certain; of the last look while it is open.
    """

    candidate: str
    outcome: Outcome
    because: str
    shoppers: int

    @property
    def stop(self) -> bool:
        """Whether the candidate need not, or must not, be shown any longer."""
        return self.outcome != "open"


def verdict_of(looks: Sequence[Look], experiment: Experiment, candidate: str) -> Verdict:
    """Return the verdict of `candidate` after `looks`, at least one, oldest first.

    A broken sample ratio counts at whatever look it showed: what was certain before was drawn from the same shoppers.
    """
    for look in looks:
        if look.mismatch_p <= MISMATCH_P:
            return Verdict(candidate, "broken", _mismatch(look, experiment), look.shoppers)
    for look in looks:
        found = _rail_left(look, candidate) or _decided(look, experiment, candidate)
        if found:
            return Verdict(candidate, *found, look.shoppers)
    last = looks[-1]
    return Verdict(candidate, "open", _still_open(last, experiment, candidate), last.shoppers)


def least_p(looks: Sequence[Look], metric: str, candidate: str) -> float:
    """Return the least p of the difference over `looks`; it is always valid, so it may be quoted."""
    found = [look.metrics[metric].differences[candidate].p for look in looks if metric in look.metrics]
    return min(found, default=1.0)


def _mismatch(look: Look, experiment: Experiment) -> str:
    seen = ", ".join(f"{name} {count:,}" for name, count in look.counts.items())
    meant = ", ".join(f"{name} {share:.0%}" for name, share in experiment.shares.items())
    return f"shoppers: {seen}; meant: {meant} (p = {look.mismatch_p:.2g}). Find out who is lost, then start anew."


def _rail_left(look: Look, candidate: str) -> tuple[Outcome, str] | None:
    for rail in look.rails[candidate]:
        if rail.stop:
            title = METRICS[rail.metric].title
            return "harmful", f"{title} loses at least {rail.least_loss:.4f}, and {rail.limit:.4f} is tolerated."
    return None


def _decided(look: Look, experiment: Experiment, candidate: str) -> tuple[Outcome, str] | None:
    figures = look.metrics.get(experiment.primary)
    if figures is None or figures.differences[candidate].p > experiment.plan.alpha:
        return None
    found = figures.differences[candidate]
    said = f"{figures.metric.title} {found.mean:+.4f}, interval {found.low:+.4f} to {found.high:+.4f}."
    return ("better" if found.mean > 0 else "worse"), said


def _still_open(look: Look, experiment: Experiment, candidate: str) -> str:
    title = METRICS[experiment.primary].title
    if experiment.primary not in look.metrics:
        return f"nothing was logged that {title} could be taken from."
    found = look.metrics[experiment.primary].differences[candidate]
    return f"{title} {found.mean:+.4f}, interval {found.low:+.4f} to {found.high:+.4f}: it may still be either way."
