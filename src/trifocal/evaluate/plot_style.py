"""How every plot of the report looks: inline SVG that takes its colours and its font from the page."""

from __future__ import annotations

import html
import io
import re
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trifocal.evaluate.metrics import METRICS

__all__ = [
    "ACCENT", "INK", "LABELS", "LINE", "LINE_POINTS", "MUTED", "OTHER", "STYLE", "WIDTH_INCHES", "plain", "svg",
]  # fmt: skip

LABELS = {name: name.replace("recall", "Recall").replace("ndcg", "nDCG").replace("map", "MAP") for name in METRICS} | {
    "mrr": "MRR"
}

# Stand-ins that the page's own colours replace: SVG cannot name a CSS variable through matplotlib.
INK, MUTED, ACCENT, OTHER, LINE = "#010101", "#020202", "#030303", "#040404", "#050505"
_PAGE_COLOURS = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    ACCENT: "var(--accent)",
    OTHER: "var(--other)",
    LINE: "var(--line)",
}
# Any: the stubs ask for a Literal of all 300 keys.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "trifocal",
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


def plain(axes: Axes, label: str, *, grid: str) -> None:
    """Take frame and ticks away, write `label` below, and draw the lines of a `grid`, "x" or "both", behind."""
    axes.set_xlabel(label)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="x" if grid == "x" else "both", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)


def svg(figure: Figure, description: str) -> str:
    """Return `figure` as SVG of the page's width, colours and font; `description` is read out where it is not seen."""
    spoken = html.escape(description)
    target = io.StringIO()
    figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    text = target.getvalue()
    text = text[text.index("<svg") :]
    for stand_in, colour in _PAGE_COLOURS.items():
        text = text.replace(stand_in, colour)
    # The page sets the size; the font of the page replaces matplotlib's list.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{spoken}"', text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    return re.sub(r' font-family: [^;"]*;?', "", re.sub(r'font: ([\d.]+px) [^;"]*', r"font-size: \1", text))
