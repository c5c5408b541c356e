"""Comparison -> inline SVG plots that take their colours from the page, so that light, dark and print all work."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from trifocal.evaluate.comparison import Comparison, ModelFigures
from trifocal.evaluate.metrics import METRICS

__all__ = ["LABELS", "latency_plot", "metric_plot"]

LABELS = {name: name.replace("recall", "Recall").replace("ndcg", "nDCG").replace("map", "MAP") for name in METRICS} | {
    "mrr": "MRR"
}

# Stand-ins that the page's own colours replace: SVG cannot name a CSS variable through matplotlib.
_INK, _MUTED, _ACCENT, _OTHER, _LINE = "#010101", "#020202", "#030303", "#040404", "#050505"
_PAGE_COLOURS = {
    _INK: "currentColor",
    _MUTED: "var(--muted)",
    _ACCENT: "var(--accent)",
    _OTHER: "var(--other)",
    _LINE: "var(--line)",
}
# Any: the stubs ask for a Literal of all 300 keys.
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "trifocal",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _MUTED,
    "xtick.color": _MUTED,
    "ytick.color": _INK,
}
# Drawn about as wide as the page shows it, so that its text keeps the size of the page's small print.
_WIDTH_INCHES = 3.5
_LABEL_POINTS = 12


def metric_plot(comparison: Comparison, metric: str) -> str:
    """Return a bar a model with the 95 % interval of its mean, the first model in the accent colour."""
    models = comparison.models
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_size(len(models)), layout="constrained")
        axes = figure.add_subplot()
        for place, model in enumerate(models):
            found = model.metrics[metric]
            axes.barh(place, found.mean, height=0.62, color=_colour(place))
            axes.plot([found.low, found.high], [place, place], color=_INK, linewidth=1.4, solid_capstyle="butt")
            axes.annotate(
                f"{found.mean:.3f}", (found.high, place), xytext=(5, 0), textcoords="offset points", va="center"
            )
        axes.set_yticks(range(len(models)), [model.name for model in models])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.25 * max(max(model.metrics[metric].high for model in models), 1e-6))
        axes.locator_params(axis="x", nbins=4)
        _plain(axes, LABELS[metric], grid="x")
        return _svg(figure, f"{LABELS[metric]} of each model with its 95 % interval")


def latency_plot(comparison: Comparison, metric: str) -> str:
    """Return a point a model: p50 latency of one answer against `metric`; "" where no latency was measured."""
    timed = [(place, model) for place, model in enumerate(comparison.models) if model.latency is not None]
    if not timed:
        return ""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_size(len(comparison.models)), layout="constrained")
        axes = figure.add_subplot()
        for place, model in timed:
            _point(axes, model, metric, _colour(place))
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.set_xlim(low / 1.3, high * 4)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(bottom=0, top=1.15 * max(model.metrics[metric].high for _, model in timed) + 1e-6)
        axes.locator_params(axis="y", nbins=5)
        axes.tick_params(axis="y", colors=_MUTED)
        _plain(axes, f"{LABELS[metric]} against p50 of one answer, ms", grid="both")
        _name_points(figure, axes, [model for _, model in timed], metric)
        return _svg(figure, f"{LABELS[metric]} against latency")


def _point(axes: Axes, model: ModelFigures, metric: str, colour: str) -> None:
    found, x = model.metrics[metric], _p50(model)
    axes.plot([x, x], [found.low, found.high], color=colour, linewidth=1.4)
    axes.plot([x], [found.mean], "o", color=colour, markersize=7)


def _name_points(figure: Figure, axes: Axes, models: list[ModelFigures], metric: str) -> None:
    # From the top down, each name at least a line below the one before: near points stay readable.
    figure.draw_without_rendering()
    points_per_unit = axes.get_window_extent().height / figure.dpi * 72 / axes.get_ylim()[1]
    free = float("inf")
    for model in sorted(models, key=lambda m: -m.metrics[metric].mean):
        x, y = _p50(model), model.metrics[metric].mean
        at = min(y * points_per_unit, free)
        free = at - _LABEL_POINTS
        shift = (9.0, at - y * points_per_unit)
        axes.annotate(model.name, (x, y), xytext=shift, textcoords="offset points", va="center").set_in_layout(False)


def _p50(model: ModelFigures) -> float:
    return model.latency.p50_ms if model.latency else float("nan")


def _size(models: int) -> tuple[float, float]:
    return _WIDTH_INCHES, max(2.3, 0.8 + 0.34 * models)


def _colour(place: int) -> str:
    return _ACCENT if place == 0 else _OTHER


def _plain(axes: Axes, label: str, *, grid: str) -> None:
    axes.set_xlabel(label)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="x" if grid == "x" else "both", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)


def _svg(figure: Figure, description: str) -> str:
    target = io.StringIO()
    figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    text = target.getvalue()
    text = text[text.index("<svg") :]
    for stand_in, colour in _PAGE_COLOURS.items():
        text = text.replace(stand_in, colour)
    # The page sets the size; the font of the page replaces matplotlib's list.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{description}"', text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    return re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
