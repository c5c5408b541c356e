"""Charts of an experiment over its looks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trifocal.feedback.experiments.analysis import Experiment, Look
from trifocal.feedback.experiments.sample_ratio import MISMATCH_P
from trifocal.feedback.experiments.shoppers import METRICS
from trifocal.report import Chart, Line, lines

__all__ = ["difference_plot", "p_plot", "share_plot"]

# p is drawn no lower: below it nobody asks how much.
_LEAST_P = 1e-6


def difference_plot(looks: Sequence[Look], experiment: Experiment, metric: str) -> Chart | None:
    """Return candidate minus control over the shoppers, with the bands that hold at all looks; None with none."""
    known = [look for look in looks if metric in look.metrics]
    found = [line for line in (_difference(known, metric, name) for name in experiment.candidates) if line is not None]
    if not found:
        return None
    title = f"{METRICS[metric].title}: difference to {experiment.control}"
    return lines(found, title, "shoppers", levels={"no difference": 0.0})


def p_plot(looks: Sequence[Look], experiment: Experiment) -> Chart | None:
    """Return the least p of the primary metric over the shoppers, with the level at which the test stops."""
    known = [look for look in looks if experiment.primary in look.metrics]
    if not known:
        return None
    drawn = []
    for candidate in experiment.candidates:
        found = [look.metrics[experiment.primary].differences[candidate].p for look in known]
        least = [max(min(found[: place + 1]), _LEAST_P) for place in range(len(found))]
        drawn.append(Line(candidate, [look.shoppers for look in known], least))
    alpha = experiment.plan.alpha
    title = f"{METRICS[experiment.primary].title}: always-valid p, the least so far"
    return lines(drawn, title, "shoppers", levels={f"stop, {alpha:g}": alpha}, stepped=True, log_range=(_LEAST_P, 1.5))


def share_plot(looks: Sequence[Look], experiment: Experiment) -> Chart:
    """Return the share of shoppers of each variant over the shoppers, beside what was meant."""
    shoppers = [look.shoppers for look in looks]
    variants = [*experiment.candidates, experiment.control]
    drawn = [Line(name, shoppers, [look.counts[name] / look.shoppers for look in looks]) for name in variants]
    meant = {f"meant, {share:.3g}": share for share in experiment.shares.values()}
    title = f"Share of shoppers; broken below p = {MISMATCH_P:g}"
    return lines(drawn, title, "shoppers", levels=meant, y_range=(0, 1))


def _difference(looks: Sequence[Look], metric: str, candidate: str) -> Line | None:
    found = [look.metrics[metric].differences[candidate] for look in looks]
    sure = [difference for difference in found if math.isfinite(difference.low)]
    if not sure:
        return None
    return Line(
        candidate,
        [one.shoppers for one in sure],
        [one.mean for one in sure],
        [one.low for one in sure],
        [one.high for one in sure],
    )
