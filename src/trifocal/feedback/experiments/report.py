"""Looks and verdicts -> one page that stands alone: no script, no outside file. Writes the page and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trifocal.feedback.experiments.analysis import Experiment, Look
from trifocal.feedback.experiments.plots import difference_plot, p_plot, share_plot
from trifocal.feedback.experiments.sample_ratio import MISMATCH_P, chi_square_p
from trifocal.feedback.experiments.sequential import Difference
from trifocal.feedback.experiments.shoppers import METRICS
from trifocal.feedback.experiments.verdicts import Verdict, least_p, verdict_of

__all__ = ["report_html", "sentence", "write_report"]

_OUTCOMES = {
    "broken": "is broken",
    "harmful": "must go: a guard rail was left",
    "better": "is better",
    "worse": "is worse",
    "open": "is open",
}


def sentence(verdict: Verdict) -> str:
    """Return the verdict in one line."""
    return f"{verdict.candidate} {_OUTCOMES[verdict.outcome]} after {verdict.shoppers:,} shoppers. {verdict.because}"


def report_html(looks: Sequence[Look], experiment: Experiment) -> str:
    """Return the page of `looks`, at least one, oldest first."""
    environment = Environment(
        loader=PackageLoader("trifocal.feedback.experiments"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"number": _number, "percent": _percent, "p": _p, "day": _day, "reach": _reach}
    last = looks[-1]
    plots = [difference_plot(looks, experiment, name) for name in METRICS]
    plots += [p_plot(looks, experiment), share_plot(looks, experiment)]
    verdicts = [verdict_of(looks, experiment, candidate) for candidate in experiment.candidates]
    return environment.get_template("report.html").render(
        experiment=experiment,
        looks=looks,
        last=last,
        titles={name: metric.title for name, metric in METRICS.items()},
        verdicts=[(verdict, sentence(verdict)) for verdict in verdicts],
        p_of=lambda metric, candidate: least_p(looks, metric, candidate),
        mismatch_p=min(look.mismatch_p for look in looks),
        mismatch_limit=MISMATCH_P,
        chi_square_p=chi_square_p(last.counts, experiment.shares),
        plots=[Markup(plot) for plot in plots if plot],  # noqa: S704 - our own SVG; names are escaped by matplotlib
    )


def write_report(path: Path, looks: Sequence[Look], experiment: Experiment) -> None:
    """Write the page to `path`, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_html(looks, experiment), encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _percent(value: float) -> str:
    return f"{value:+.1%}" if math.isfinite(value) else "–"


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}".replace("0.", ".", 1)


def _day(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _reach(found: Difference) -> str:
    return f"{found.low:+.4f} to {found.high:+.4f}" if math.isfinite(found.low) else "not yet known"
