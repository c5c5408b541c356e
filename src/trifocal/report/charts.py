"""Figures -> drawings: bars, intervals, points, lines. What is drawn first stands in the accent colour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from trifocal.report.drawing import (
    ACCENT,
    HUES,
    INK,
    LINE_POINTS,
    MUTED,
    OTHER,
    STYLE,
    WIDTH_INCHES,
    drawn,
    plain,
    short,
    spread,
)
from trifocal.report.page import Chart

__all__ = ["DASHES", "Estimate", "Line", "Point", "bars", "intervals", "lines", "name_ends", "points"]

_NAN = math.nan
DASHES = ("-", "--", "-.", (0, (6, 1)), ":", (0, (1, 3)))
_MARKS = ("o", "s", "^", "D", "v", "P")
# Right end of a plot that has a column of names beside it, as a share of the width.
_POINTS_RIGHT = 0.66


@dataclass(frozen=True)
class Estimate:
    """A figure with the interval it lies in; NaN = none."""

    name: str
    mean: float
    low: float = _NAN
    high: float = _NAN


@dataclass(frozen=True)
class Point:
    """A figure at a place `x`, with the interval it lies in; NaN = none."""

    name: str
    x: float
    mean: float
    low: float = _NAN
    high: float = _NAN


@dataclass(frozen=True)
class Line:
    """Figures over places `x`, in their order, and the band they lie in where it is known."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def bars(found: Sequence[Estimate], title: str, label: str, *, digits: int = 3) -> Chart:
    """Return a bar for each of `found`, from 0, with its interval and its figure."""
    with mpl.rc_context(STYLE):
        figure, axes = _rows_figure(found)
        for place, one in enumerate(found):
            axes.barh(place, one.mean, height=0.66, color=_first(place))
            axes.plot([one.low, one.high], [place, place], color=INK, linewidth=1.4, solid_capstyle="butt")
            _beside(axes, f"{one.mean:,.{digits}f}", (_end(one), place))
        axes.set_xlim(0, 1.25 * max(*(_end(one) for one in found), 1e-6))
        axes.locator_params(axis="x", nbins=4)
        plain(axes, label, grid="x")
        return drawn(figure, title, _said(found, digits))


def intervals(
    found: Sequence[Estimate], title: str, label: str, *, zero: float = 0.0, least: float | None = None, digits: int = 3
) -> Chart:
    """Return a point with its interval for each of `found`, beside a line at `zero` and a dashed one at `least`."""
    with mpl.rc_context(STYLE):
        figure, axes = _rows_figure(found)
        axes.axvline(zero, color=MUTED, linewidth=1)
        if least is not None:
            axes.axvline(least, color=MUTED, linewidth=1, linestyle="--")
        for place, one in enumerate(found):
            colour = _first(place)
            axes.plot([one.low, one.high], [place, place], color=colour, linewidth=2.4, solid_capstyle="butt")
            axes.plot([one.mean], [place], "o", color=colour, markersize=7)
            axes.annotate(f"{one.mean:+.{digits}f}" if not zero else f"{one.mean:.{digits}f}", (one.mean, place),
                          xytext=(0, 8), textcoords="offset points", ha="center", fontsize=8.5)  # fmt: skip
        axes.set_ylim(len(found) - 0.5, -0.7)
        axes.margins(x=0.12)
        axes.locator_params(axis="x", nbins=5)
        plain(axes, label, grid="x")
        return drawn(figure, title, _said(found, digits))


def points(found: Sequence[Point], title: str, label: str, *, log: bool = False) -> Chart:
    """Return a point with its interval for each of `found`, its name led to it from a column beside."""
    with mpl.rc_context(STYLE):
        figure, axes = _points_figure(found)
        if log:
            _log_axis(axes, [point.x for point in found])
        else:
            axes.set_xlim(left=0)
            axes.locator_params(axis="x", nbins=5)
        plain(axes, label, grid="both")
        ends = {point.name: (point.x, point.mean) for point in found}
        name_ends(axes, ends, {point.name: ACCENT if place == 0 else INK for place, point in enumerate(found)})
        return drawn(figure, title, "; ".join(f"{p.name}: {p.mean:.4g} at {p.x:.4g}" for p in found))


def lines(
    found: Sequence[Line],
    title: str,
    label: str,
    *,
    levels: Mapping[str, float] | None = None,
    stepped: bool = False,
    log_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
) -> Chart:
    """Return a line for each of `found`, its name at its end, over dashed `levels` with their names.

    Args:
        found: at most six tell well apart.
        title: what is shown.
        label: of the places.
        levels: name -> height.
        stepped: a figure holds until the next.
        log_range: lowest and highest height, and heights are drawn by their logarithm.
        y_range: lowest and highest height.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 2.7))
        axes = figure.add_axes((0.12, 0.19, 0.6, 0.75))
        if log_range:
            axes.set_yscale("log")
        if log_range or y_range:
            axes.set_ylim(log_range or y_range)
        axes.minorticks_off()
        for height in (levels or {}).values():
            axes.axhline(height, color=MUTED, linewidth=0.8, linestyle="--")
        colours = {line.name: HUES[place % len(HUES)] for place, line in enumerate(found)}
        for place, line in enumerate(found):
            _draw_line(axes, line, place, stepped=stepped)
        axes.tick_params(axis="y", colors=MUTED)
        whole = all(float(x).is_integer() for line in found for x in line.x)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=whole, min_n_ticks=1))
        plain(axes, label, grid="both")
        ends = {line.name: (line.x[-1], line.y[-1]) for line in found}
        last = max(line.x[-1] for line in found)
        named = ends | {name: (last, height) for name, height in (levels or {}).items()}
        name_ends(axes, named, colours)
        return drawn(figure, title, "; ".join(f"{line.name}: {line.y[0]:.4g} to {line.y[-1]:.4g}" for line in found))


def _rows_figure(found: Sequence[Estimate]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_INCHES, 0.7 + 0.26 * max(len(found), 3)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_yticks(range(len(found)), [short(one.name) for one in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    return figure, axes


def _points_figure(found: Sequence[Point]) -> tuple[Figure, Axes]:
    height = 0.9 + 0.19 * max(len(found), 8)
    figure = Figure(figsize=(WIDTH_INCHES, height))
    bottom, left = 0.55 / height, 0.09
    axes = figure.add_axes((left, bottom, _POINTS_RIGHT - left, 0.97 - bottom))
    # The first one last, so that it lies on top.
    for place, point in reversed(list(enumerate(found))):
        colour = _first(place)
        axes.plot([point.x, point.x], [point.low, point.high], color=colour, linewidth=1.4)
        # A point at 0 stands on the axis, whole.
        axes.plot([point.x], [point.mean], "o", color=colour, markersize=6.5, clip_on=False)
    axes.margins(x=0.08, y=0.06)
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(axis="y", colors=MUTED)
    return figure, axes


def _draw_line(axes: Axes, line: Line, place: int, *, stepped: bool) -> None:
    colour = HUES[place % len(HUES)]
    if line.low:
        axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(line.x, line.y, color=colour, linestyle=DASHES[place % len(DASHES)], linewidth=1.5,
              drawstyle="steps-post" if stepped else "default",
              marker=_MARKS[place % len(_MARKS)] if len(line.x) <= 24 else None, markersize=3.2)  # fmt: skip


def name_ends(axes: Axes, ends: Mapping[str, tuple[float, float]], colours: Mapping[str, str]) -> None:
    """Write names in a column beside the plot, each led to its end by a thin line: near ends stay readable."""
    # Limits are else found only when it is drawn.
    axes.autoscale_view()
    places = {name: float(axes.transAxes.inverted().transform(axes.transData.transform(end))[1])
              for name, end in ends.items()}  # fmt: skip
    figure = axes.get_figure(root=True)
    per_line = LINE_POINTS / (axes.get_window_extent().height / (figure.dpi if figure else 72.0) * 72)
    ordered = sorted(ends, key=lambda name: -places[name])
    edge = 0.4 * per_line
    heights = spread([min(max(places[name], 0.0), 1.0) for name in ordered], per_line, edge, 1 - edge)
    for name, height in zip(ordered, heights, strict=True):
        colour = colours.get(name, MUTED)
        axes.annotate(
            short(name),
            ends[name],
            xytext=(1.05, height),
            textcoords="axes fraction",
            va="center",
            color=colour,
            arrowprops={
                "arrowstyle": "-",
                "color": OTHER if colour == INK else colour,
                "linewidth": 0.6,
                "alpha": 0.8,
                "shrinkA": 2,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )


def _log_axis(axes: Axes, found: Sequence[float]) -> None:
    axes.set_xscale("log")
    low, high = _widened(min(found), max(found))
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())


def _widened(low: float, high: float) -> tuple[float, float]:
    """At least a factor of ten, so that the axis holds ticks, with room beside the outer points."""
    factor = max(1.4, (10 * low / high) ** 0.5)
    return low / factor, high * factor


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten from `low` to `high`; over long ranges the powers alone."""
    leads = (1, 2, 5) if high < 100 * low else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [lead * 10.0**power for power in powers for lead in leads if low <= lead * 10.0**power <= high]


def _beside(axes: Axes, text: str, end: tuple[float, float]) -> None:
    axes.annotate(text, end, xytext=(5, 0), textcoords="offset points", va="center")


def _first(place: int) -> str:
    return ACCENT if place == 0 else OTHER


def _end(one: Estimate) -> float:
    return one.mean if math.isnan(one.high) else max(one.mean, one.high)


def _said(found: Sequence[Estimate], digits: int) -> str:
    return "; ".join(
        f"{one.name}: {one.mean:.{digits}f}"
        + ("" if math.isnan(one.low) else f" ({one.low:.{digits}f} to {one.high:.{digits}f})")
        for one in found
    )
