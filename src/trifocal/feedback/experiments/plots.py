"""Plots of an experiment over its looks: inline SVG that takes its colours and its font from the page."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trifocal.feedback.experiments.analysis import Experiment, Look
from trifocal.feedback.experiments.sample_ratio import MISMATCH_P
from trifocal.feedback.experiments.shoppers import METRICS

__all__ = ["difference_plot", "p_plot", "share_plot"]

# Stand-ins that the page's own colours replace: SVG cannot name a CSS variable through matplotlib.
_INK, _MUTED, _LINE = "#010101", "#020202", "#030303"
_LINES = ("#040404", "#050505", "#060606", "#070707")
_PAGE_COLOURS = {_INK: "currentColor", _MUTED: "var(--muted)", _LINE: "var(--line)"} | {
    stand_in: f"var(--line-{place})" for place, stand_in in enumerate(_LINES, start=1)
}
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
    "ytick.color": _INK,
}
_SIZE_INCHES = (4.8, 2.7)
# p is drawn no lower: below it nobody asks how much.
_LEAST_P = 1e-6


def difference_plot(looks: Sequence[Look], experiment: Experiment, metric: str) -> str:
    """Return candidate minus control over the shoppers, with the intervals that hold at all looks; "" with none."""
    known = [look for look in looks if metric in look.metrics]
    with mpl.rc_context(_STYLE):
        figure, axes = _empty(f"{METRICS[metric].title}: difference to {experiment.control}")
        drawn = [_draw_difference(axes, known, metric, *each) for each in _coloured(experiment)]
        axes.axhline(0, color=_MUTED, linewidth=0.8)
        return _svg(figure, axes, f"{METRICS[metric].title}, difference over shoppers") if any(drawn) else ""


def p_plot(looks: Sequence[Look], experiment: Experiment) -> str:
    """Return the least p of the primary metric over the shoppers, with the level at which the test stops."""
    known = [look for look in looks if experiment.primary in look.metrics]
    with mpl.rc_context(_STYLE):
        figure, axes = _empty("always-valid p, the least so far")
        axes.set_yscale("log")
        axes.set_ylim(_LEAST_P, 1.5)
        axes.minorticks_off()
        for candidate, colour in _coloured(experiment):
            found = [look.metrics[experiment.primary].differences[candidate].p for look in known]
            least = [max(min(found[: place + 1]), _LEAST_P) for place in range(len(found))]
            axes.step([look.shoppers for look in known], least, where="post", color=colour, label=candidate)
        axes.axhline(experiment.plan.alpha, color=_MUTED, linewidth=0.8, linestyle="--")
        return _svg(figure, axes, "p over shoppers")


def share_plot(looks: Sequence[Look], experiment: Experiment) -> str:
    """Return the share of shoppers of each variant over the shoppers, beside what was meant."""
    with mpl.rc_context(_STYLE):
        figure, axes = _empty(f"share of shoppers; broken below p = {MISMATCH_P:g}")
        for variant, colour in [(experiment.control, _MUTED), *_coloured(experiment)]:
            shares = [look.counts[variant] / look.shoppers for look in looks]
            axes.plot([look.shoppers for look in looks], shares, color=colour, label=variant)
            axes.axhline(experiment.shares[variant], color=_LINE, linewidth=0.8, linestyle="--")
        axes.set_ylim(0, 1)
        return _svg(figure, axes, "share of shoppers over shoppers")


def _coloured(experiment: Experiment) -> list[tuple[str, str]]:
    return [(name, _LINES[place % len(_LINES)]) for place, name in enumerate(experiment.candidates)]


def _draw_difference(axes: Axes, looks: Sequence[Look], metric: str, candidate: str, colour: str) -> bool:
    found = [look.metrics[metric].differences[candidate] for look in looks]
    sure = [difference for difference in found if math.isfinite(difference.low)]
    if not sure:
        return False
    places = [difference.shoppers for difference in sure]
    low, high = [difference.low for difference in sure], [difference.high for difference in sure]
    axes.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(places, [difference.mean for difference in sure], color=colour, label=candidate, marker=".")
    return True


def _empty(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=9.5, loc="left", color=_INK)
    axes.set_xlabel("shoppers")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _svg(figure: Figure, axes: Axes, description: str) -> str:
    """Return `figure` in the page's width, colours and font; `description` is read out where it is not seen."""
    axes.legend(frameon=False, fontsize=8.5)
    target = io.StringIO()
    figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    text = target.getvalue()
    text = text[text.index("<svg") :]
    for stand_in, colour in _PAGE_COLOURS.items():
        text = text.replace(stand_in, colour)
    spoken = html.escape(description)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{spoken}"', text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    return re.sub(r' font-family: [^;"]*;?', "", re.sub(r'font: ([\d.]+px) [^;"]*', r"font-size: \1", text))
