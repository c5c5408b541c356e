"""Comparison -> the tables of its page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trifocal.evaluate.comparison import HEADLINE, Comparison, ModelFigures
from trifocal.evaluate.plots import LABELS
from trifocal.evaluate.results import seed_spread
from trifocal.evaluate.satisfaction import HitSatisfaction
from trifocal.evaluate.significance import Difference, Interval
from trifocal.evaluate.slices import Slice
from trifocal.report import Cell, Column, Table
from trifocal.report.wording import UNKNOWN, fixed, p_value, per_cent, seconds, signed_per_cent

__all__ = ["cost_table", "figures_table", "gap_share", "gap_table", "satisfaction_table", "slice_tables"]

_GROUP_TITLES = {
    "history": "Events before",
    "warmth": "Known before?",
    "popularity": "Training users of the target",
    "content": "Target's content",
    "category": "Target's category",
}
# The page shows the slices in two tables: what most splits have, and the categories, which are many.
_SLICE_TABLES = (("history", "warmth", "popularity", "content"), ("category",))
# Columns that stand only where some model has a figure.
_LIST_COLUMNS = {"novelty": "Novelty, bits", "diversity_text": "Text diversity", "diversity_image": "Picture diversity"}
_COST_COLUMNS = {"parameters": "Parameters", "size_mb": "MB", "version": "Version", "tuning": "Tuning"}
# A mean over fewer users says little.
_FEW_USERS = 30


def figures_table(comparison: Comparison) -> Table:
    """Return a row a model: means with their intervals, and what its lists are like."""
    lists = _measured(comparison.models, _LIST_COLUMNS)
    titles = [*(LABELS[metric] for metric in HEADLINE), "Seeds", "Coverage@20", "Gini@20", *lists.values()]
    rows: list[list[str | Cell]] = [
        [
            model.name,
            *(_mean(model.metrics[name], best=comparison.best(name) == model.name) for name in HEADLINE),
            _seeds(model),
            per_cent(model.coverage),
            fixed(model.gini, 3),
            *(fixed(getattr(model, name), 3) for name in lists),
        ]
        for model in comparison.models
    ]
    return Table("Figures of each model", ["Model", *titles], rows, first=True)


def gap_table(comparison: Comparison, caption: str) -> Table:
    """Return a row for each model but the first: how far the first is above it."""
    rows: list[list[str | Cell]] = [
        [model.name, *(_gap(comparison.differences[metric][model.name]) for metric in HEADLINE)]
        for model in comparison.models[1:]
    ]
    return Table(caption, ["Against", *(LABELS[metric] for metric in HEADLINE)], rows)


def gap_share(gap: Difference) -> str:
    """Return the difference as a share of the other mean, which may be 0."""
    return "no ratio" if math.isnan(gap.relative) else signed_per_cent(gap.relative)


def slice_tables(comparison: Comparison) -> list[Table]:
    """Return the figures by class of user and of target item; classes without a slice are left out."""
    slices = comparison.slices[HEADLINE[0]]
    cut = [[[each for each in slices if each.group == group] for group in table] for table in _SLICE_TABLES]
    filled = [[found for found in table if found] for table in cut]
    return [_slice_table(comparison.models, table) for table in filled if table]


def satisfaction_table(found: Sequence[HitSatisfaction]) -> Table:
    """Return a row a model: satisfaction of the sessions that it would have hit."""
    rows: list[list[str | Cell]] = [
        [
            one.name,
            UNKNOWN if one.satisfaction is None else _mean(one.satisfaction),
            f"{one.hit:,}",
            per_cent(one.share),
        ]
        for one in found
    ]
    return Table("Satisfaction of the sessions hit", ["Model", "Satisfaction", "Sessions hit", "Of all"], rows)


def cost_table(comparison: Comparison) -> Table:
    """Return a row a model: latency, training, size."""
    costs = _measured(comparison.models, _COST_COLUMNS)
    titles = ["Model", "p50 ms", "p95 ms", "p99 ms", "Train s", *costs.values()]
    rows: list[list[str | Cell]] = [
        [model.name, *_latency(model), seconds(model.train_seconds), *(_cost(model, name) for name in costs)]
        for model in comparison.models
    ]
    return Table("Cost of each model", titles, rows, first=True)


def _slice_table(models: Sequence[ModelFigures], groups: Sequence[Sequence[Slice]]) -> Table:
    columns = [Column(one.label, f"n = {one.users:,}", opens=one is found[0]) for found in groups for one in found]
    rows: list[list[str | Cell]] = [
        [model.name, *(_sliced(one, place) for found in groups for one in found)] for place, model in enumerate(models)
    ]
    titles = [(_GROUP_TITLES[found[0].group], len(found)) for found in groups]
    return Table("By " + ", ".join(title for title, _ in titles), ["Model", *columns], rows, titles, first=True)


def _sliced(one: Slice, place: int) -> Cell:
    best = max(one.means)
    leads = one.means[place] == best and best > 0
    return Cell(f"{one.means[place]:.3f}", tone="few" if one.users < _FEW_USERS else "best" if leads else "")


def _mean(found: Interval, *, best: bool = False) -> Cell:
    return Cell(f"{found.mean:.4f}", f"{found.low:.4f} – {found.high:.4f}", "best" if best else "")


def _gap(gap: Difference) -> Cell:
    p = p_value(gap.corrected)
    return Cell(
        f"{gap.mean:+.4f} ({gap_share(gap)}){'*' * gap.significant}",
        f"{gap.low:+.4f} to {gap.high:+.4f}, p {p if p.startswith('<') else f'= {p}'}",
        "" if not gap.clear else "good" if gap.mean > 0 else "bad",
    )


def _seeds(model: ModelFigures) -> str:
    found = seed_spread(model, HEADLINE[0])
    return "1" if found is None else f"{len(model.seed_means)} (±{found:.4f})"


def _latency(model: ModelFigures) -> list[str]:
    found = model.latency
    if found is None:
        return [UNKNOWN] * 3
    return [f"{value:.2f}" for value in (found.p50_ms, found.p95_ms, found.p99_ms)]


def _cost(model: ModelFigures, name: str) -> str:
    value = getattr(model, name)
    if value in (None, ""):
        return UNKNOWN
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _measured(models: Sequence[ModelFigures], names: dict[str, str]) -> dict[str, str]:
    """Those of `names`, attribute -> title, that some model has."""
    return {
        name: title for name, title in names.items() if any(getattr(model, name) not in (None, "") for model in models)
    }
