"""How a model was trained, as a chart: the parts of its loss, and the validation figure with the epoch that is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trifocal.report.charts import DASHES, name_ends
from trifocal.report.drawing import ACCENT, HUES, MUTED, STYLE, WIDTH_INCHES, drawn, metric_label, plain
from trifocal.report.page import Chart

__all__ = ["LearningCurve", "learning_chart", "learning_curve", "loss_parts"]

# Panels: losses above, validation below, names beside.
_PANELS = {"left": 0.09, "right": 0.72, "bottom": 0.13, "top": 0.93, "hspace": 0.32, "height_ratios": (3, 2)}
_TITLE: dict[str, Any] = {"fontsize": 9.5, "color": MUTED}
# Epochs of room left and right, so that one epoch alone has an axis too.
_BESIDE = 0.4


@dataclass(frozen=True)
class LearningCurve:
    """How a model was trained, epoch by epoch.

    Attributes:
        name: of the model.
        rows: one an epoch, oldest first: `epoch`, the loss parts, and validation figures by the names of metrics.
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


def loss_parts(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the names of the losses in `rows` that were above 0 at first."""
    return [name for name in rows[0] if _is_loss(name) and rows[0][name] > 0]


def learning_chart(curve: LearningCurve) -> Chart:
    """Return the loss parts, each as a share of its first epoch, over the validation figure with its best epoch."""
    epochs = [row["epoch"] for row in curve.rows]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 3.9))
        losses, figures = figure.subplots(2, sharex=True, gridspec_kw=_PANELS)
        losses.set_xlim(epochs[0] - _BESIDE, epochs[-1] + _BESIDE)
        losses.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        _losses(losses, epochs, curve)
        if curve.metric in curve.rows[0]:
            _validation(figures, epochs, curve)
        else:
            figures.set_visible(False)
            losses.set_xlabel("epoch")
            losses.tick_params(labelbottom=True)
        return drawn(figure, f"Learning curve of {curve.name}", _said(curve))


def _is_loss(name: str) -> bool:
    # Metrics are at a list length, but for the mean reciprocal rank.
    return name not in {"epoch", "seconds", "mrr"} and "@" not in name and not name.startswith("gradient_norm.")


def _losses(axes: Axes, epochs: Sequence[float], curve: LearningCurve) -> None:
    shares = {
        name: [row.get(name, math.nan) / curve.rows[0][name] for row in curve.rows] for name in loss_parts(curve.rows)
    }
    colours: dict[str, str] = {}
    ends: dict[str, tuple[float, float]] = {}
    for place, (name, values) in enumerate(shares.items()):
        colour, dashes = HUES[place % len(HUES)], DASHES[place % len(DASHES)]
        axes.plot(epochs, values, color=colour, linestyle=dashes, linewidth=1.3, marker=".")
        said = f"{name} {curve.rows[-1][name]:.3g}"
        colours[said], ends[said] = colour, (epochs[-1], values[-1])
    plain(axes, "", grid="both")
    axes.tick_params(axis="y", colors=MUTED)
    axes.set_title("Loss, share of the first epoch; at the end its value", loc="left", **_TITLE)
    name_ends(axes, ends, colours)


def _validation(axes: Axes, epochs: Sequence[float], curve: LearningCurve) -> None:
    best = _best(curve)
    axes.plot(epochs, [row[curve.metric] for row in curve.rows], color=ACCENT, linewidth=1.6, marker=".")
    axes.plot([curve.best_epoch], [best], "o", color=ACCENT, markersize=8, clip_on=False)
    axes.axvline(curve.best_epoch, color=ACCENT, linewidth=0.8, linestyle=":")
    said = f"best, epoch {curve.best_epoch}:\n{best:.4f}"
    axes.annotate(said, (1.05, 0.5), xycoords="axes fraction", va="center", color=ACCENT)
    axes.locator_params(axis="y", nbins=4)
    axes.tick_params(axis="y", colors=MUTED)
    axes.set_title(f"{metric_label(curve.metric)} on validation, towers alone", loc="left", **_TITLE)
    plain(axes, "epoch", grid="both")


def _best(curve: LearningCurve) -> float:
    return next(row for row in curve.rows if row["epoch"] == curve.best_epoch)[curve.metric]


def _said(curve: LearningCurve) -> str:
    first, last = curve.rows[0], curve.rows[-1]
    parts = [f"{name}: {first[name]:.4g} to {last[name]:.4g}" for name in loss_parts(curve.rows)]
    if curve.metric in first:
        parts.append(f"best {metric_label(curve.metric)} {_best(curve):.4f} after epoch {curve.best_epoch}")
    return "; ".join(parts)
