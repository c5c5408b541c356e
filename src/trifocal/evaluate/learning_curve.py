"""How a model was trained, as a plot: the parts of its loss, and the validation figure with the epoch that is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trifocal.evaluate.metrics import METRICS
from trifocal.evaluate.plot_style import ACCENT, INK, LABELS, LINE_POINTS, MUTED, OTHER, STYLE, WIDTH_INCHES, plain, svg
from trifocal.evaluate.plots import spread

__all__ = ["LearningCurve", "learning_curve", "learning_plot"]

# Panels of a learning curve: losses above, validation below, names beside.
_CURVE_PANELS = {
    "left": 0.09, "right": 0.72, "bottom": 0.13, "top": 0.93, "hspace": 0.32, "height_ratios": (3, 2),
}  # fmt: skip
_CURVE_TITLE: dict[str, Any] = {"fontsize": 9.5, "color": MUTED}
# Epochs of room left and right, so that one epoch alone has an axis too.
_BESIDE = 0.4
_DASHES = ("-", "--", ":", "-.", (0, (6, 1)), (0, (1, 3)))


@dataclass(frozen=True)
class LearningCurve:
    """How a model was trained, epoch by epoch.

    Attributes:
        name: of the model.
        rows: one an epoch, oldest first: `epoch`, the loss parts, and validation figures by the names of `METRICS`.
        metric: the validation figure that the best epoch was chosen by.
        best_epoch: from 1.
    """

    name: str
    rows: tuple[Mapping[str, float], ...]
    metric: str
    best_epoch: int


def learning_curve(name: str, metrics: Mapping[str, Any]) -> LearningCurve | None:
    """Return the curve that the `metrics` of a bundle tell of the model `name`, None where they tell none."""
    rows = tuple(metrics.get("curve") or ())
    if not rows:
        return None
    return LearningCurve(name, rows, metrics.get("metric", "ndcg@10"), int(metrics["best_epoch"]))


def learning_plot(curve: LearningCurve) -> str:
    """Return the loss parts, each as a share of its first epoch, over the validation figure with its best epoch."""
    epochs = [row["epoch"] for row in curve.rows]
    parts = [name for name in curve.rows[0] if _is_loss(name) and curve.rows[0][name] > 0]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 3.9))
        losses, figures = figure.subplots(2, sharex=True, gridspec_kw=_CURVE_PANELS)
        lines = {name: [row.get(name, math.nan) / curve.rows[0][name] for row in curve.rows] for name in parts}
        for place, values in enumerate(lines.values()):
            losses.plot(epochs, values, color=INK, linestyle=_DASHES[place % len(_DASHES)], linewidth=1.3, marker=".")
        plain(losses, "", grid="both")
        _ends(losses, epochs[-1], lines, {name: curve.rows[-1][name] for name in parts})
        losses.set_title("Loss, share of the first epoch; at the end its value", loc="left", **_CURVE_TITLE)
        if curve.metric in curve.rows[0]:
            _validation(figures, epochs, curve)
        else:
            figures.set_visible(False)
            losses.set_xlabel("epoch")
            losses.tick_params(labelbottom=True)
        losses.set_xlim(epochs[0] - _BESIDE, epochs[-1] + _BESIDE)
        losses.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        return svg(figure, f"Learning curve of {curve.name}")


def _is_loss(name: str) -> bool:
    return name not in {"epoch", "seconds", *METRICS} and not name.startswith("gradient_norm.")


def _ends(axes: Axes, last: float, lines: Mapping[str, Sequence[float]], values: Mapping[str, float]) -> None:
    """The name and last value of each line beside its end, a line of text apart."""
    low, high = axes.get_ylim()
    gap = LINE_POINTS * (high - low) / (axes.get_window_extent().height / mpl.rcParams["figure.dpi"] * 72)
    ordered = sorted(lines, key=lambda name: -lines[name][-1])
    for name, height in zip(ordered, spread([lines[n][-1] for n in ordered], gap, low, high), strict=True):
        axes.annotate(
            f"{name} {values[name]:.3g}",
            (last, lines[name][-1]),
            xytext=(1.05, (height - low) / (high - low)),
            textcoords="axes fraction",
            va="center",
            arrowprops={"arrowstyle": "-", "color": OTHER, "linewidth": 0.6, "shrinkA": 2, "relpos": (0, 0.5)},
        )


def _validation(axes: Axes, epochs: Sequence[float], curve: LearningCurve) -> None:
    best = next(row for row in curve.rows if row["epoch"] == curve.best_epoch)[curve.metric]
    axes.plot(epochs, [row[curve.metric] for row in curve.rows], color=ACCENT, linewidth=1.6, marker=".")
    axes.plot([curve.best_epoch], [best], "o", color=ACCENT, markersize=8, clip_on=False)
    axes.axvline(curve.best_epoch, color=ACCENT, linewidth=0.8, linestyle=":")
    axes.annotate(
        f"best, epoch {curve.best_epoch}:\n{best:.4f}",
        (1.05, 0.5),
        xycoords="axes fraction",
        va="center",
        color=ACCENT,
    )
    axes.locator_params(axis="y", nbins=4)
    axes.set_title(f"{LABELS[curve.metric]} on validation, towers alone", loc="left", **_CURVE_TITLE)
    plain(axes, "epoch", grid="both")
