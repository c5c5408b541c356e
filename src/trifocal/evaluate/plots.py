"""Comparison -> charts of a page: each model's figure, and quality against coverage and latency."""

from __future__ import annotations

from trifocal.evaluate.comparison import Comparison
from trifocal.evaluate.metrics import METRICS
from trifocal.report import Chart, Estimate, Point, bars, points
from trifocal.report.drawing import metric_label

__all__ = ["LABELS", "coverage_plot", "latency_plot", "metric_plot"]

LABELS = {name: metric_label(name) for name in METRICS}


def metric_plot(comparison: Comparison, metric: str) -> Chart:
    """Return a bar a model with the 95 % interval of its mean."""
    found = [(model.name, model.metrics[metric]) for model in comparison.models]
    estimates = [Estimate(name, one.mean, one.low, one.high) for name, one in found]
    return bars(estimates, f"{LABELS[metric]} of each model with its 95 % interval", LABELS[metric])


def coverage_plot(comparison: Comparison, metric: str) -> Chart:
    """Return a point a model: share of the catalogue that it shows to anybody, in per cent, against `metric`."""
    found = [(model.name, 100 * model.coverage, model.metrics[metric]) for model in comparison.models]
    placed = [Point(name, x, one.mean, one.low, one.high) for name, x, one in found]
    return points(placed, f"{LABELS[metric]} against coverage", "coverage@20, % of the items")


def latency_plot(comparison: Comparison, metric: str) -> Chart | None:
    """Return a point a model: p50 latency of one answer against `metric`; None where no latency was measured."""
    placed = [
        Point(model.name, model.latency.p50_ms, one.mean, one.low, one.high)
        for model in comparison.models
        if model.latency is not None
        for one in [model.metrics[metric]]
    ]
    if not placed:
        return None
    return points(placed, f"{LABELS[metric]} against latency", "p50 of one answer, ms", log=True)
