"""Comparison -> plain values for a file of results, and a Markdown table for people. Writes nothing."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict

from trifocal.evaluate.comparison import HEADLINE, Comparison, ModelFigures
from trifocal.evaluate.plots import LABELS
from trifocal.evaluate.significance import Difference, Interval

__all__ = ["results_json", "results_markdown", "seed_spread"]

_MARKDOWN = ("recall@20", "ndcg@10")


def results_json(comparison: Comparison) -> dict[str, object]:
    """Return every figure as plain values: models, differences, slices, failures, and what they were taken on.

    Diversity and satisfaction have a key only where they were measured.
    """
    satisfaction = [
        {**asdict(found), "satisfaction": None if found.satisfaction is None else _interval(found.satisfaction)}
        for found in comparison.satisfaction
    ]
    return {
        "split": comparison.split.name,
        "fingerprint": comparison.split.fingerprint,
        "seeds": list(comparison.seeds),
        "dataset": comparison.dataset,
        "part": comparison.part,
        "note": "; ".join(note for note in (comparison.split.note, *comparison.notes) if note),
        "users": comparison.users,
        "candidates": comparison.candidates,
        "models": {model.name: _model(model) for model in comparison.models},
        "differences": {
            metric: {name: _difference(gap) for name, gap in gaps.items()}
            for metric, gaps in comparison.differences.items()
        },
        "slices": _slices(comparison),
        "failures": dict(comparison.failures),
        **({"satisfaction": satisfaction} if satisfaction else {}),
        **({"knockout": _knockout(comparison.knockout)} if comparison.knockout else {}),
    }


def results_markdown(comparison: Comparison) -> str:
    """Return a table for README or docs, the best of each column in bold, and a line on what it was taken on.

    A star marks a model that the first differs from, significantly after Holm, in Recall@20.
    """
    labels = [LABELS[metric] for metric in _MARKDOWN]
    head = ["Model", *labels, "Coverage@20", "p50 ms", "Train s"]
    rows = [head, ["---", *["--:"] * (len(head) - 1)], *(_row(comparison, model) for model in comparison.models)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\n{_taken_on(comparison)}\n"


def seed_spread(model: ModelFigures, metric: str) -> float | None:
    """Return the standard deviation (n - 1) of the mean of `metric` over training seeds; None below two seeds."""
    means = [means[metric] for means in model.seed_means]
    return statistics.stdev(means) if len(means) > 1 else None


def _knockout(without: Comparison) -> dict[str, object]:
    return {
        "models": {
            model.name: {metric: _interval(model.metrics[metric]) for metric in HEADLINE} for model in without.models
        },
        "differences": {
            metric: {name: _difference(gap) for name, gap in gaps.items()}
            for metric, gaps in without.differences.items()
        },
    }


def _model(model: ModelFigures) -> dict[str, object]:
    latency = model.latency
    diversity = {"diversity_text@20": model.diversity_text, "diversity_image@20": model.diversity_image}
    return {
        **{name: _interval(found) for name, found in model.metrics.items()},
        "coverage@20": _rounded(model.coverage),
        "gini@20": _rounded(model.gini),
        "novelty@20": _rounded(model.novelty),
        **{name: _rounded(value) for name, value in diversity.items() if value is not None},
        "latency_ms": None if latency is None else _rounded(latency.p50_ms),
        "latency_p95_ms": None if latency is None else _rounded(latency.p95_ms),
        "latency_p99_ms": None if latency is None else _rounded(latency.p99_ms),
        "train_seconds": _rounded(model.train_seconds),
        "parameters": model.parameters,
        "size_mb": _rounded(model.size_mb),
        "version": model.version,
        "settings": model.settings,
        "tuning": model.tuning,
        "seed_means": [{name: _rounded(mean) for name, mean in means.items()} for means in model.seed_means],
    }


def _interval(found: Interval) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in asdict(found).items()}


def _difference(gap: Difference) -> dict[str, float | None]:
    named = asdict(gap)
    named["p_holm"] = named.pop("corrected")
    return {name: _rounded(value) for name, value in named.items()}


def _slices(comparison: Comparison) -> list[dict[str, object]]:
    names = [model.name for model in comparison.models]
    return [
        {
            "metric": metric,
            "group": found.group,
            "label": found.label,
            "users": found.users,
            "means": {name: _rounded(mean) for name, mean in zip(names, found.means, strict=True)},
        }
        for metric, slices in comparison.slices.items()
        for found in slices
    ]


def _rounded(value: float | None) -> float | None:
    # JSON knows no NaN.
    return None if value is None or math.isnan(value) else round(value, 6)


def _row(comparison: Comparison, model: ModelFigures) -> list[str]:
    gap = comparison.differences[HEADLINE[0]].get(model.name)
    star = "\\*" if gap is not None and gap.significant else ""
    return [
        model.name.replace("|", "\\|") + star,
        *(_cell(comparison, model, metric) for metric in _MARKDOWN),
        f"{model.coverage:.1%}".replace("%", " %"),
        "–" if model.latency is None else f"{model.latency.p50_ms:.2f}",
        "–" if model.train_seconds is None else f"{model.train_seconds:,.1f}",
    ]


def _cell(comparison: Comparison, model: ModelFigures, metric: str) -> str:
    found = model.metrics[metric]
    mean = f"{found.mean:.4f}"
    shown = f"**{mean}**" if comparison.best(metric) == model.name else mean
    return f"{shown} ({found.low:.4f}–{found.high:.4f})"


def _taken_on(comparison: Comparison) -> str:
    seeds = len(comparison.seeds)
    trained = f"mean of {seeds} training seeds" if seeds > 1 else "one training seed"
    star = f" \\* = differs from {comparison.models[0].name} in {LABELS[HEADLINE[0]]} after Holm, p < .05."
    return (
        f"{comparison.dataset}, split {comparison.split.name}, {comparison.part}: {comparison.users:,} users, "
        f"full ranking of {comparison.candidates:,} items, {trained}; "
        "in brackets the 95 % bootstrap interval over users."
        f"{star if len(comparison.models) > 1 else ''} Fingerprint `{comparison.split.fingerprint[:12]}`."
    )
