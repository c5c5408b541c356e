"""Item curve -> one SVG file that stands alone: it brings its colours along, light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trifocal.evaluate.item_curve import CURVE_METRICS, ItemCurve
from trifocal.evaluate.plots import LABELS
from trifocal.report.drawing import spread

__all__ = ["item_curve_plot"]

# Stand-ins that the file's own style sheet replaces: SVG cannot name a CSS variable through matplotlib. The first line
# is the accent; the further hues are those of Okabe and Ito, which the colour-blind can tell apart.
_COLOURS = {
    "#010101": ("--ink", "#1d2126", "#e8eaee"),
    "#020202": ("--muted", "#667080", "#98a2b3"),
    "#030303": ("--line", "#e1e3e7", "#2f3640"),
    "#040404": ("--one", "#2f5fd0", "#7ea2ff"),
    "#050505": ("--two", "#c26a00", "#f0a63c"),
    "#060606": ("--three", "#007f5c", "#3fc79a"),
    "#070707": ("--four", "#a2527c", "#dd93bc"),
}
_INK, _MUTED, _LINE, *_HUES = _COLOURS
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "h")
# Any: the stubs ask for a Literal of all 300 keys.
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "trifocal",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _MUTED,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
}
_SIZE_INCHES = (9.6, 3.9)
_LINE_POINTS = 12.0
# Lines of all models stand side by side within so much of the distance between two levels.
_SPREAD_OF_LINES = 0.36


def item_curve_plot(curve: ItemCurve) -> str:
    """Return an SVG with a panel a metric: a line a model over the levels, each point with its 95 % interval."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE_INCHES)
        for panel, metric in enumerate(CURVE_METRICS):
            axes = figure.add_axes((0.05 + 0.5 * panel, 0.15, 0.33, 0.74))
            _lines(axes, curve, metric)
            _named(figure, axes, curve, metric)
        return _svg(figure, f"Quality of {len(curve.models)} models against the interactions of an item")


def _lines(axes: Axes, curve: ItemCurve, metric: str) -> None:
    # The first model last, so that it lies on top.
    for place, name in reversed(list(enumerate(curve.models))):
        found = [level.models[name][metric] for level in curve.levels]
        colour, x = _colour(place), _places(curve, place)
        axes.vlines(x, [one.low for one in found], [one.high for one in found], color=colour, linewidth=0.9, alpha=0.65)
        axes.plot(x, [one.mean for one in found], **_line(place))
    axes.set_xticks(range(len(curve.levels)), [str(level.level) for level in curve.levels])
    axes.set_xlabel("interactions left of the item")
    axes.set_title(LABELS[metric], loc="left", fontsize=10.5)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)


def _line(place: int) -> dict[str, Any]:
    first = place == 0
    return {
        "color": _colour(place),
        "marker": _MARKERS[place % len(_MARKERS)],
        "markersize": 5.5 if first else 4.0,
        "linewidth": 2.0 if first else 1.1,
        "linestyle": "-" if place < len(_HUES) else (0, (3, 1 + place - len(_HUES))),
        "clip_on": False,
    }


def _colour(place: int) -> str:
    return _HUES[place] if place < len(_HUES) else _MUTED


def _places(curve: ItemCurve, place: int) -> list[float]:
    models = len(curve.models)
    shift = _SPREAD_OF_LINES * (place / max(models - 1, 1) - 0.5) if models > 1 else 0.0
    return [level + shift for level in range(len(curve.levels))]


def _named(figure: Figure, axes: Axes, curve: ItemCurve, metric: str) -> None:
    """Names in a column beside the last points, each led to its own by a thin line."""
    last = curve.levels[-1].models
    order = sorted(range(len(curve.models)), key=lambda place: -last[curve.models[place]][metric].mean)
    heights = _heights(figure, axes, [last[curve.models[place]][metric].mean for place in order])
    for place, height in zip(order, heights, strict=True):
        name, colour = curve.models[place], _colour(place)
        axes.annotate(
            name,
            (_places(curve, place)[-1], last[name][metric].mean),
            xytext=(1.06, height),
            textcoords="axes fraction",
            va="center",
            color=colour,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.5,
                "alpha": 0.6,
                "shrinkB": 4,
                "relpos": (0, 0.5),
            },
        )


def _heights(figure: Figure, axes: Axes, means: Sequence[float]) -> list[float]:
    """Where the names stand, as shares of the height of the axes."""
    low, high = axes.get_ylim()
    points = axes.get_window_extent().height / figure.dpi * 72
    wanted = [(mean - low) / (high - low) for mean in means]
    return spread(wanted, _LINE_POINTS / points, 0.0, 1.0)


def _svg(figure: Figure, description: str) -> str:
    target = io.StringIO()
    figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    text = target.getvalue()
    text = text[text.index("<svg") :]
    for stand_in, (variable, _, _) in _COLOURS.items():
        text = text.replace(stand_in, f"var({variable})")
    text = re.sub(r"(<svg[^>]*?)>", rf'\1 role="img" aria-label="{description}">{_sheet()}', text, count=1)
    # The reader's own font replaces matplotlib's list.
    return re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1; font-family: system-ui, sans-serif", text)


def _sheet() -> str:
    light, dark = ("".join(f"{name}:{shades[shade]};" for name, *shades in _COLOURS.values()) for shade in (0, 1))
    return f"<style>svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
