"""Looks and verdicts -> the page of an experiment. Writes the page and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from trifocal.feedback.experiments.analysis import Experiment, Look
from trifocal.feedback.experiments.plots import difference_plot, p_plot, share_plot
from trifocal.feedback.experiments.sample_ratio import MISMATCH_P, chi_square_p
from trifocal.feedback.experiments.sequential import Difference
from trifocal.feedback.experiments.shoppers import METRICS
from trifocal.feedback.experiments.verdicts import Verdict, least_p, verdict_of
from trifocal.report import Cell, Charts, Fact, Note, Origin, Page, Section, Table, render_report
from trifocal.report import write_report as write_page
from trifocal.report.page import Tone
from trifocal.report.wording import fixed, p_value, per_cent, signed_per_cent

__all__ = ["experiment_page", "report_html", "sentence", "write_report"]

_OUTCOMES = {
    "broken": "is broken",
    "harmful": "must go: a guard rail was left",
    "better": "is better",
    "worse": "is worse",
    "open": "is open",
}
_TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "harmful": "bad", "broken": "bad"}
_FOOT = (
    "A shopper counts for the variant that was seen first. Always-valid test: asymptotic confidence sequences, "
    "tightest at the planned shoppers."
)
_RAILS = (
    "What a candidate loses at least, by a one-sided bound that holds at all looks. Above what is tolerated it stops."
)


def sentence(verdict: Verdict) -> str:
    """Return the verdict in one line."""
    return f"{verdict.candidate} {_OUTCOMES[verdict.outcome]} after {verdict.shoppers:,} shoppers. {verdict.because}"


def report_html(looks: Sequence[Look], experiment: Experiment, origin: Origin | None = None) -> str:
    """Return the page of `looks`, at least one, oldest first, as HTML."""
    return render_report(experiment_page(looks, experiment, origin))


def write_report(path: Path, looks: Sequence[Look], experiment: Experiment, origin: Origin | None = None) -> None:
    """Write the page to `path`, creating its folder."""
    write_page(path, experiment_page(looks, experiment, origin))


def experiment_page(looks: Sequence[Look], experiment: Experiment, origin: Origin | None = None) -> Page:
    """Return the page of `looks`, at least one, oldest first."""
    verdicts = [verdict_of(looks, experiment, candidate) for candidate in experiment.candidates]
    return Page(
        "experiment",
        experiment.name,
        list(_sections(looks, experiment)),
        verdicts=[Note(sentence(verdict), _TONES.get(verdict.outcome, "")) for verdict in verdicts],
        facts=_facts(looks, experiment),
        remarks=[_FOOT],
        origin=origin or Origin(),
    )


def _facts(looks: Sequence[Look], experiment: Experiment) -> list[Fact]:
    last, mismatch_p = looks[-1], min(look.mismatch_p for look in looks)
    until = datetime.fromtimestamp(last.until_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [
        *(Fact(f"Shoppers, {variant}", f"{count:,}") for variant, count in last.counts.items()),
        Fact("Planned, of all variants", f"{experiment.shoppers:,}"),
        Fact("Sample ratio, always-valid p", p_value(mismatch_p), "bad" if mismatch_p <= MISMATCH_P else ""),
        Fact("Sample ratio, one look at the end", p_value(chi_square_p(last.counts, experiment.shares))),
        Fact("Saw a second variant", f"{last.mixed:,}"),
        Fact("Last event", until),
    ]


def _sections(looks: Sequence[Look], experiment: Experiment) -> Iterator[Section]:
    level = per_cent(1 - experiment.plan.alpha, 0)
    yield Section(
        "Figures",
        [_figures(looks, experiment)],
        f"Ratios of sums over shoppers, with the standard error of the delta method. Differences to "
        f"{experiment.control} after CUPED; their intervals hold at all looks at once, at level {level}. "
        f"{METRICS[experiment.primary].title} decides, the others inform.",
    )
    if experiment.rails:
        yield Section("Guard rails", [_rails(looks[-1])], _RAILS)
    charts = [difference_plot(looks, experiment, name) for name in METRICS]
    charts += [p_plot(looks, experiment), share_plot(looks, experiment)]
    hint = f"{len(looks)} looks. Bands hold at all of them at once: looking more often costs nothing."
    yield Section("Over time", [Charts([chart for chart in charts if chart])], hint)


def _figures(looks: Sequence[Look], experiment: Experiment) -> Table:
    columns = [
        "Metric", "Variant", "Reached", "Difference", "Interval", "Lift", "p, least so far", "Variance left by CUPED"
    ]  # fmt: skip
    rows = [
        [
            METRICS[name].title,
            variant,
            Cell(fixed(reached.mean, 4), f"± {fixed(reached.standard_error, 4)}"),
            *_against_control(looks, name, variant),
        ]
        for name, figures in looks[-1].metrics.items()
        for variant, reached in figures.reached.items()
    ]
    return Table(f"Metrics of each variant of {experiment.name}", columns, rows)


def _against_control(looks: Sequence[Look], metric: str, variant: str) -> list[str | Cell]:
    figures = looks[-1].metrics[metric]
    if variant not in figures.differences:
        return [""] * 5
    found = figures.differences[variant]
    plain = f"{figures.plain[variant].mean:+.4f} before CUPED"
    return [
        Cell(f"{found.mean:+.4f}", plain, "good" if found.low > 0 else "bad" if found.high < 0 else ""),
        _reach(found),
        signed_per_cent(found.lift),
        p_value(least_p(looks, metric, variant)),
        per_cent(figures.variance_left, 0),
    ]


def _rails(last: Look) -> Table:
    rows = [
        [
            candidate,
            METRICS[rail.metric].title,
            *(fixed(value, 4) for value in (rail.loss, rail.least_loss, rail.limit)),
            Cell("stop", tone="bad") if rail.stop else "go on",
        ]
        for candidate, rails in last.rails.items()
        for rail in rails
    ]
    return Table("Guard rails", ["Candidate", "Metric", "Loss", "At least", "Tolerated", "Verdict"], rows)


def _reach(found: Difference) -> str:
    return f"{found.low:+.4f} to {found.high:+.4f}" if math.isfinite(found.low) else "not yet known"
