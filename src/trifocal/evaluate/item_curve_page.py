"""Item curve -> plain values for a file of results, and Markdown tables for people. Writes nothing."""

from __future__ import annotations

import math
from dataclasses import asdict

from trifocal.evaluate.item_curve import CURVE_METRICS, ItemCurve, LevelFigures
from trifocal.evaluate.plots import LABELS
from trifocal.evaluate.significance import Difference

__all__ = ["item_curve_json", "item_curve_markdown"]


def item_curve_json(curve: ItemCurve) -> dict[str, object]:
    """Return every figure as plain values, level by level."""
    return {
        "dataset": curve.dataset,
        "split": curve.split,
        "note": curve.note,
        "fingerprint": curve.fingerprint,
        "candidates": curve.candidates,
        "seeds": dict(curve.seeds),
        "levels": [_level(level) for level in curve.levels],
    }


def item_curve_markdown(curve: ItemCurve) -> str:
    """Return a table a metric, a row a model and a column a level, and how it was made.

    The best of each column is bold. A star marks a model that the first differs from at that level, significantly
    after Holm over the other models.
    """
    tables = [
        f"**{LABELS[metric]}** by interactions left of the item\n\n{_table(curve, metric)}" for metric in CURVE_METRICS
    ]
    return "\n\n".join([*tables, _taken_on(curve)]) + "\n"


def _level(level: LevelFigures) -> dict[str, object]:
    return {
        "interactions": level.level,
        "events": level.events,
        "items": level.items,
        "users": level.users,
        "models": {
            name: {metric: _rounded(asdict(found)) for metric, found in metrics.items()}
            for name, metrics in level.models.items()
        },
        "differences": {
            metric: {name: _difference(gap) for name, gap in gaps.items()} for metric, gaps in level.differences.items()
        },
    }


def _difference(gap: Difference) -> dict[str, float | None]:
    named = asdict(gap)
    named["p_holm"] = named.pop("corrected")
    return _rounded(named)


def _rounded(values: dict[str, float]) -> dict[str, float | None]:
    # JSON knows no NaN.
    return {name: None if math.isnan(value) else round(value, 6) for name, value in values.items()}


def _table(curve: ItemCurve, metric: str) -> str:
    rows = [
        ["Model", *(str(level.level) for level in curve.levels)],
        ["---", *["--:"] * len(curve.levels)],
        *([name, *(_cell(level, name, metric) for level in curve.levels)] for name in curve.models),
        ["*test events / items*", *(f"{level.events:,} / {level.items:,}" for level in curve.levels)],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(level: LevelFigures, name: str, metric: str) -> str:
    found = level.models[name][metric]
    best = max(metrics[metric].mean for metrics in level.models.values())
    mean = f"**{found.mean:.3f}**" if found.mean == best else f"{found.mean:.3f}"
    gap = level.differences[metric].get(name)
    star = "\\*" if gap is not None and gap.significant else ""
    return f"{mean}{star} ({found.low:.3f}–{found.high:.3f})"


def _taken_on(curve: ItemCurve) -> str:
    seeds = ", ".join(f"{name} {count}" for name, count in curve.seeds.items())
    first = curve.models[0]
    return (
        f"{curve.dataset}, split {curve.split}: {curve.note}. Test events on thinned items alone, each looked for in "
        f"the full ranking of {curve.candidates:,} items; in brackets the 95 % interval of a bootstrap over users and "
        f"items. "
        f"Trainings a model: {seeds}. \\* = differs from {first} at that level after Holm, p < .05. "
        f"Fingerprint `{curve.fingerprint[:12]}`."
    )
