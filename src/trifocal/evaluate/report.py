"""Comparison -> a table for the terminal, JSON, and the verdict in words. Writes nothing."""

from __future__ import annotations

from rich.table import Table

from trifocal.evaluate.comparison import HEADLINE, Comparison, ModelFigures
from trifocal.evaluate.plots import LABELS
from trifocal.evaluate.report_tables import gap_share
from trifocal.report.wording import seconds

__all__ = ["report_json", "report_table", "verdict"]


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
            seconds(model.train_seconds),
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
        f"against {rival.metrics[metric].mean:.4f} ({gap_share(gap)}; 95 % interval of the difference "
        f"{gap.low:+.4f} to {gap.high:+.4f}).{_against_all(comparison, metric) if len(others) > 1 else ''}"
    )


def _against_all(comparison: Comparison, metric: str) -> str:
    gaps = list(comparison.differences[metric].values())
    above = sum(gap.significant and gap.mean > 0 for gap in gaps)
    below = sum(gap.significant and gap.mean < 0 for gap in gaps)
    counts = {"above": above, "below": below, "not told apart from": len(gaps) - above - below}
    said = ", ".join(f"{stands} {count}" for stands, count in counts.items() if count)
    return f" After Holm (p < .05) it is {said} of the {len(gaps)} others."


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


def _cell(comparison: Comparison, model: ModelFigures, metric: str) -> str:
    found = model.metrics[metric]
    mean = f"{found.mean:.4f}"
    shown = f"[bold green]{mean}[/]" if comparison.best(metric) == model.name else mean
    return f"{shown} [dim]±{(found.high - found.low) / 2:.4f}[/]"
