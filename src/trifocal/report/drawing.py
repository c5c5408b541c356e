"""One style for all drawings of a report: inline SVG that takes colours and font from the page.

Light, dark and print then need no second drawing. Hues are near those of Okabe and Ito, which the colour-blind can
tell apart; lines differ in dash and mark too.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trifocal.report.page import Chart

__all__ = [
    "ACCENT", "HUES", "INK", "LINE", "LINE_POINTS", "MUTED", "OTHER", "STYLE", "WIDTH_INCHES", "drawn", "metric_label",
    "plain", "recoloured", "short", "spread",
]  # fmt: skip

# Stand-ins that the page's own colours replace: SVG cannot name a CSS variable through matplotlib.
INK, MUTED, ACCENT, OTHER, LINE = "#010101", "#020202", "#030303", "#040404", "#050505"
HUES = ("#060606", "#070707", "#080808", "#090909", "#0a0a0a", "#0b0b0b")
_PAGE_COLOURS = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    ACCENT: "var(--accent)",
    OTHER: "var(--other)",
    LINE: "var(--line)",
} | {stand_in: f"var(--hue-{place})" for place, stand_in in enumerate(HUES, start=1)}
# Any: the stubs ask for a Literal of all 300 keys.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": INK,
}
# Drawn about as wide as the page shows it, so that its text keeps the size of the page's small print.
WIDTH_INCHES = 4.8
LINE_POINTS = 12.0
# Beside a plot there is room for a column of so long a name.
_NAME_LENGTH = 22


def metric_label(name: str) -> str:
    """Return the metric `name` as a page writes it.

    >>> metric_label("ndcg@10"), metric_label("mrr")
    ('nDCG@10', 'MRR')
    """
    return name.replace("recall", "Recall").replace("ndcg", "nDCG").replace("map", "MAP").replace("mrr", "MRR")


def short(name: str) -> str:
    """Return `name`, cut where it is too long to stand beside a drawing."""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def plain(axes: Axes, label: str, *, grid: str) -> None:
    """Take frame and ticks away, write `label` below, and draw the lines of a `grid`, "x" or "both", behind."""
    axes.set_xlabel(label)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="x" if grid == "x" else "both", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)


def drawn(figure: Figure, title: str, description: str) -> Chart:
    """Return `figure` as a chart; `description`, its figures in words, is read out where it is not seen."""
    text = recoloured(_svg(figure, title), _PAGE_COLOURS)
    mark = f"chart-{hashlib.sha256((text + description).encode()).hexdigest()[:8]}"
    spoken = (
        f'<title id="{mark}">{html.escape(title)}</title><desc id="{mark}-figures">{html.escape(description)}</desc>'
    )
    labelled = f'role="img" aria-labelledby="{mark}" aria-describedby="{mark}-figures"'
    # The page sets the size; the font of the page replaces matplotlib's list.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"(<svg[^>]*)>", lambda found: f"{found[1]} {labelled}>{spoken}", text, count=1)
    text = re.sub(r' font-family: [^;"]*;?', "", re.sub(r'font: ([\d.]+px) [^;"]*', r"font-size: \1", text))
    return Chart(text, title)


def recoloured(svg: str, colours: Mapping[str, str]) -> str:
    """Return `svg` with each stand-in of `colours` replaced."""
    for stand_in, colour in colours.items():
        svg = svg.replace(stand_in, colour)
    return svg


def _svg(figure: Figure, title: str) -> str:
    """The element alone; the names of its parts follow from `title`, so that two drawings of a page share none."""
    target = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title}):
        figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    text = target.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r"\n\s*", "\n", re.sub(r'<g id="[^"]*"', "<g", text))


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
