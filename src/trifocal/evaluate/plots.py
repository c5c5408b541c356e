"""Comparison -> inline SVG plots that take their colours from the page, so that light, dark and print all work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from trifocal.evaluate.comparison import Comparison, ModelFigures
from trifocal.evaluate.plot_style import ACCENT, INK, LABELS, LINE_POINTS, MUTED, OTHER, STYLE, WIDTH_INCHES, plain, svg
from trifocal.evaluate.significance import Interval

__all__ = ["LABELS", "coverage_plot", "latency_plot", "metric_plot", "spread"]

# Beside a plot of points there is room for a column of so long a name.
_NAME_LENGTH = 22
_POINTS_RIGHT = 0.66


def metric_plot(comparison: Comparison, metric: str) -> str:
    """Return a bar a model with the 95 % interval of its mean, the first model in the accent colour."""
    models = comparison.models
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 0.7 + 0.26 * max(len(models), 3)), layout="constrained")
        axes = figure.add_subplot()
        for place, model in enumerate(models):
            found = model.metrics[metric]
            axes.barh(place, found.mean, height=0.66, color=_colour(place))
            axes.plot([found.low, found.high], [place, place], color=INK, linewidth=1.4, solid_capstyle="butt")
            axes.annotate(
                f"{found.mean:.3f}", (found.high, place), xytext=(5, 0), textcoords="offset points", va="center"
            )
        axes.set_yticks(range(len(models)), [_short(model.name) for model in models])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.25 * max(max(model.metrics[metric].high for model in models), 1e-6))
        axes.locator_params(axis="x", nbins=4)
        plain(axes, LABELS[metric], grid="x")
        return svg(figure, f"{LABELS[metric]} of each model with its 95 % interval")


def coverage_plot(comparison: Comparison, metric: str) -> str:
    """Return a point a model: share of the catalogue that it shows to anybody, in per cent, against `metric`."""
    label = f"{LABELS[metric]} against coverage@20, % of the items"
    points = [
        _Point(place, model, 100 * model.coverage, model.metrics[metric])
        for place, model in enumerate(comparison.models)
    ]
    with mpl.rc_context(STYLE):
        figure, axes = _points_figure(points)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=5)
        return _named(figure, axes, points, label, f"{LABELS[metric]} against coverage")


def latency_plot(comparison: Comparison, metric: str) -> str:
    """Return a point a model: p50 latency of one answer against `metric`; "" where no latency was measured."""
    label = f"{LABELS[metric]} against p50 of one answer, ms"
    points = [
        _Point(place, model, model.latency.p50_ms, model.metrics[metric])
        for place, model in enumerate(comparison.models)
        if model.latency is not None
    ]
    if not points:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = _points_figure(points)
        axes.set_xscale("log")
        low, high = _widened(min(point.x for point in points), max(point.x for point in points))
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        return _named(figure, axes, points, label, f"{LABELS[metric]} against latency")


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return heights near the `wanted` ones, in their order, at least `gap` apart and within `low` and `high`.

    Where they do not fit, they are evenly apart, closer than `gap`.

    The two upper ones are too near; the second gives way downward.

    >>> spread([9.0, 8.5, 2.0], 2.0, 0.0, 10.0)
    [9.0, 7.0, 2.0]

    Args:
        wanted: falling heights.
        gap: least distance.
        low: of the last.
        high: of the first.
    """
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    found: list[float] = []
    for height in wanted:
        found.append(min(height, found[-1] - gap if found else high))
    floor = low
    for place in reversed(range(len(found))):
        found[place] = max(found[place], floor)
        floor = found[place] + gap
    return found


def _widened(low: float, high: float) -> tuple[float, float]:
    """At least a factor of ten, so that the axis holds ticks, with room beside the outer points."""
    factor = max(1.4, (10 * low / high) ** 0.5)
    return low / factor, high * factor


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten from `low` to `high`; over long ranges the powers alone."""
    leads = (1, 2, 5) if high < 100 * low else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [lead * 10.0**power for power in powers for lead in leads if low <= lead * 10.0**power <= high]


@dataclass(frozen=True)
class _Point:
    place: int
    model: ModelFigures
    x: float
    figure: Interval


def _points_figure(points: Sequence[_Point]) -> tuple[Figure, Axes]:
    height = 0.9 + 0.19 * max(len(points), 8)
    figure = Figure(figsize=(WIDTH_INCHES, height))
    bottom, left = 0.55 / height, 0.09
    axes = figure.add_axes((left, bottom, _POINTS_RIGHT - left, 0.97 - bottom))
    # The first model last, so that it lies on top.
    for point in reversed(points):
        colour = _colour(point.place)
        axes.plot([point.x, point.x], [point.figure.low, point.figure.high], color=colour, linewidth=1.4)
        # A point at 0 stands on the axis, whole.
        axes.plot([point.x], [point.figure.mean], "o", color=colour, markersize=6.5, clip_on=False)
    axes.margins(x=0.08, y=0.06)
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(axis="y", colors=MUTED)
    return figure, axes


def _named(figure: Figure, axes: Axes, points: Sequence[_Point], label: str, description: str) -> str:
    """Names in a column beside the plot, each led to its point by a thin line: near points stay readable."""
    plain(axes, label, grid="both")
    low, high = axes.get_ylim()
    per_unit = axes.get_window_extent().height / figure.dpi * 72 / (high - low)
    ordered = sorted(points, key=lambda point: -point.figure.mean)
    edge = 0.4 * LINE_POINTS / per_unit
    heights = spread([p.figure.mean for p in ordered], LINE_POINTS / per_unit, low + edge, high - edge)
    for point, height in zip(ordered, heights, strict=True):
        first = point.place == 0
        axes.annotate(
            _short(point.model.name),
            (point.x, point.figure.mean),
            xytext=(1.05, (height - low) / (high - low)),
            textcoords="axes fraction",
            va="center",
            color=ACCENT if first else INK,
            arrowprops={
                "arrowstyle": "-",
                "color": ACCENT if first else OTHER,
                "linewidth": 0.6,
                "alpha": 0.8,
                "shrinkA": 2,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )
    return svg(figure, description)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def _colour(place: int) -> str:
    return ACCENT if place == 0 else OTHER
