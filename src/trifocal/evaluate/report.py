"""Comparison -> a table for the terminal, JSON, and one self-contained HTML page. Writes the page and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Table

from trifocal.evaluate.comparison import HEADLINE, Comparison, ModelFigures
from trifocal.evaluate.learning_curve import LearningCurve, learning_plot
from trifocal.evaluate.pictures import SampleUser
from trifocal.evaluate.plots import LABELS, coverage_plot, latency_plot, metric_plot
from trifocal.evaluate.results import seed_spread
from trifocal.evaluate.significance import Difference
from trifocal.evaluate.slices import Slice

_GROUP_TITLES = {
    "history": "Events before",
    "warmth": "Known before?",
    "popularity": "Training users of the target",
    "content": "Target's content",
    "category": "Target's category",
}
# The page shows the slices in two tables: what most splits have, and the categories, which are many.
_SLICE_TABLES = (("history", "warmth", "popularity", "content"), ("category",))
# Columns that stand only where some model has a figure.
_LIST_COLUMNS = {"novelty": "Novelty, bits", "diversity_text": "Text diversity", "diversity_image": "Picture diversity"}
_COST_COLUMNS = {"parameters": "Parameters", "size_mb": "MB", "version": "Version", "tuning": "Tuning"}
# So many models' proposals are open for each sample user; the others unfold.
_OPEN_MODELS = 4

__all__ = ["report_html", "report_json", "report_table", "verdict", "write_report"]


def report_json(comparison: Comparison) -> dict[str, object]:
    """Return the figures as plain values: split, fingerprint, counts, and for each model every mean and its cost."""
    return {
        "dataset": comparison.dataset,
        "split": comparison.split.name,
        "part": comparison.part,
        "note": comparison.split.note,
        "fingerprint": comparison.split.fingerprint,
        "users": comparison.users,
        "candidates": comparison.candidates,
        "models": {model.name: _model_json(model) for model in comparison.models},
    }


def report_table(comparison: Comparison) -> Table:
    """Return the table for the terminal: means, the best of each column in bold, the half-width of its interval."""
    table = Table(
        title=f"{comparison.dataset} · split {comparison.split.name} · {comparison.part} · {comparison.users:,} users",
        caption=f"± half of the 95 % bootstrap interval · full ranking of {comparison.candidates:,} items"
        + (" · leaky split" if comparison.split.leaky else ""),
    )
    table.add_column("model")
    for name in (*(LABELS[metric] for metric in HEADLINE), "coverage@20", "p50 ms", "p99 ms", "train s"):
        table.add_column(name, justify="right")
    for model in comparison.models:
        latency = model.latency
        table.add_row(
            model.name,
            *(_cell(comparison, model, metric) for metric in HEADLINE),
            f"{model.coverage:.1%}",
            "–" if latency is None else f"{latency.p50_ms:.2f}",
            "–" if latency is None else f"{latency.p99_ms:.2f}",
            _seconds(model.train_seconds),
        )
    return table


def verdict(comparison: Comparison, metric: str = HEADLINE[0]) -> str:
    """Return where the first model stands against the strongest of the others, and, of several, against all."""
    first, *others = comparison.models
    reached = f"{LABELS[metric]} {first.metrics[metric].mean:.4f}"
    if not others:
        return f"{first.name} reaches {reached} on {comparison.users:,} users."
    rival = max(others, key=lambda model: model.metrics[metric].mean)
    gap = comparison.differences[metric][rival.name]
    stands = "cannot be told apart from" if not gap.clear else "is above" if gap.mean > 0 else "is below"
    return (
        f"{first.name} {stands} {rival.name}, the strongest of the others: {reached} "
        f"against {rival.metrics[metric].mean:.4f} ({_signed_share(gap)}; 95 % interval of the difference "
        f"{gap.low:+.4f} to {gap.high:+.4f}).{_against_all(comparison, metric) if len(others) > 1 else ''}"
    )


def _against_all(comparison: Comparison, metric: str) -> str:
    gaps = list(comparison.differences[metric].values())
    above = sum(gap.significant and gap.mean > 0 for gap in gaps)
    below = sum(gap.significant and gap.mean < 0 for gap in gaps)
    counts = {"above": above, "below": below, "not told apart from": len(gaps) - above - below}
    said = ", ".join(f"{stands} {count}" for stands, count in counts.items() if count)
    return f" After Holm (p < .05) it is {said} of the {len(gaps)} others."


def report_html(
    comparison: Comparison, samples: Sequence[SampleUser] = (), curves: Sequence[LearningCurve] = ()
) -> str:
    """Return the page: no script, no outside file, pictures and plots inline."""
    environment = Environment(
        loader=PackageLoader("trifocal.evaluate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "signed_share": _signed_share,
        "seconds": _seconds,
        "cost": _cost,
        "p": _p,
        "seeds": _seeds,
    }
    plots = [
        *(metric_plot(comparison, metric) for metric in HEADLINE[:2]),
        coverage_plot(comparison, HEADLINE[0]),
        latency_plot(comparison, HEADLINE[0]),
    ]
    return environment.get_template("report.html").render(
        comparison=comparison,
        headline=HEADLINE,
        labels=LABELS,
        plots=[Markup(plot) for plot in plots if plot],  # noqa: S704 - our own SVG; model names are escaped by matplotlib
        curves=[(curve.name, Markup(learning_plot(curve))) for curve in curves],  # noqa: S704 - as above
        samples=samples,
        opened=_opened(comparison),
        lists=_measured(comparison.models, _LIST_COLUMNS),
        costs=_measured(comparison.models, _COST_COLUMNS),
        slice_tables=_slice_tables(comparison.slices[HEADLINE[0]]),
        verdict=verdict(comparison),
    )


def write_report(
    path: Path, comparison: Comparison, samples: Sequence[SampleUser] = (), curves: Sequence[LearningCurve] = ()
) -> None:
    """Write the page to `path`, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_html(comparison, samples, curves), encoding="utf-8")


def _model_json(model: ModelFigures) -> dict[str, object]:
    latency = model.latency
    return {
        **{name: round(found.mean, 6) for name, found in model.metrics.items()},
        "intervals": {
            name: [round(model.metrics[name].low, 6), round(model.metrics[name].high, 6)] for name in HEADLINE
        },
        "coverage@20": round(model.coverage, 6),
        "latency_ms": None if latency is None else round(latency.p50_ms, 4),
        "latency_p95_ms": None if latency is None else round(latency.p95_ms, 4),
        "latency_p99_ms": None if latency is None else round(latency.p99_ms, 4),
        "train_seconds": None if model.train_seconds is None else round(model.train_seconds, 2),
    }


def _opened(comparison: Comparison) -> list[str]:
    """The first model and the best others, in the order of the table."""
    first, *others = comparison.models
    best = sorted(others, key=lambda model: -model.metrics[HEADLINE[0]].mean)[: _OPEN_MODELS - 1]
    return [first.name, *(model.name for model in others if model in best)]


def _slice_tables(slices: Sequence[Slice]) -> list[list[tuple[str, list[Slice]]]]:
    """Tables of groups, each a title and its slices; groups without a slice are left out."""
    cut = [[(_GROUP_TITLES[g], [each for each in slices if each.group == g]) for g in table] for table in _SLICE_TABLES]
    filled = [[(title, found) for title, found in table if found] for table in cut]
    return [table for table in filled if table]


def _cell(comparison: Comparison, model: ModelFigures, metric: str) -> str:
    found = model.metrics[metric]
    mean = f"{found.mean:.4f}"
    shown = f"[bold green]{mean}[/]" if comparison.best(metric) == model.name else mean
    return f"{shown} [dim]±{(found.high - found.low) / 2:.4f}[/]"


def _signed_share(gap: Difference) -> str:
    return "no ratio" if gap.relative != gap.relative else f"{gap.relative:+.1%}".replace("%", " %")


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:.2f}" if seconds < 1 else f"{seconds:,.1f}"


def _cost(model: ModelFigures, name: str) -> str:
    value = getattr(model, name)
    if value in (None, ""):
        return "–"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _measured(models: Sequence[ModelFigures], names: dict[str, str]) -> list[tuple[str, str]]:
    """Those of `names`, attribute -> title, that some model has."""
    return [pair for pair in names.items() if any(getattr(model, pair[0]) not in (None, "") for model in models)]


def _p(value: float) -> str:
    return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace("0.", ".", 1)


def _seeds(model: ModelFigures) -> str:
    found = seed_spread(model, HEADLINE[0])
    return "1" if found is None else f"{len(model.seed_means)} (±{found:.4f})"
