"""Results of base and changes on the same validation users -> differences with paired intervals; JSON and Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from benchmarks.quality.ablation_changes import BASE

from trifocal.evaluate.plots import LABELS
from trifocal.evaluate.protocol import Result, pool_seeds
from trifocal.evaluate.significance import Difference, paired_differences, resampled_means

__all__ = ["METRICS", "Ablation", "ablation_json", "ablation_markdown", "differences"]

METRICS = ("recall@20", "ndcg@10")


@dataclass(frozen=True)
class Ablation:
    """What was trained and what it reached.

    Attributes:
        dataset: its name.
        split: its name.
        fingerprint: of the split.
        seeds: of the trainings.
        changes: name -> what it sets in the environment.
        results: `base` and every change -> a result a seed, on the same validation users.
    """

    dataset: str
    split: str
    fingerprint: str
    seeds: tuple[int, ...]
    changes: Mapping[str, Mapping[str, str]]
    results: Mapping[str, Sequence[Result]]


def differences(ablation: Ablation, metric: str) -> dict[str, Difference]:
    """Return for each change how much greater `metric` is than that of the base, with p after Holm over the changes.

    A user's figure is the mean over the seeds; users are resampled in pairs, the same ones for all. `relative` is the
    share of the base's mean.
    """
    values = np.stack([_users(ablation.results[name], metric) for name in (BASE, *ablation.changes)], axis=1)
    # Turned round, so that what falls below the base is negative.
    gaps = paired_differences(-values, resampled_means(-values))
    base = float(values[:, 0].mean())
    shares = [replace(gap, relative=gap.mean / base if base else math.nan) for gap in gaps]
    return dict(zip(ablation.changes, shares, strict=True))


def ablation_json(ablation: Ablation) -> dict[str, object]:
    """Return every figure as plain values."""
    base = ablation.results[BASE]
    gaps = {metric: differences(ablation, metric) for metric in METRICS}
    return {
        "dataset": ablation.dataset,
        "split": ablation.split,
        "part": "validation",
        "fingerprint": ablation.fingerprint,
        "seeds": list(ablation.seeds),
        "users": len(base[0].item_rows),
        "base": _means(base),
        "changes": {
            name: {
                "environment": dict(environment),
                "means": _means(ablation.results[name]),
                "differences": {metric: _plain(gaps[metric][name]) for metric in METRICS},
                "seed_differences": {m: [round(gap, 6) for gap in _by_seed(ablation, name, m)] for m in METRICS},
            }
            for name, environment in ablation.changes.items()
        },
    }


def ablation_markdown(ablation: Ablation) -> str:
    """Return a row a change: what it reaches, and the difference to the base, whole and seed by seed."""
    heads = [cell for metric in METRICS for cell in (LABELS[metric], "difference", "by seed")]
    gaps = {metric: differences(ablation, metric) for metric in METRICS}
    rows = [
        ["Change", *heads],
        ["---", *["--:"] * len(heads)],
        [BASE, *(cell for metric in METRICS for cell in (f"{_mean(ablation, BASE, metric):.4f}", "", ""))],
        *(
            [name, *(cell for m in METRICS for cell in _cells(ablation, name, m, gaps[m][name]))]
            for name in gaps["ndcg@10"]
        ),
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\n{_taken_on(ablation)}\n"


def _users(results: Sequence[Result], metric: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return pool_seeds(results).metrics[metric]


def _mean(ablation: Ablation, name: str, metric: str) -> float:
    return float(_users(ablation.results[name], metric).mean())


def _means(results: Sequence[Result]) -> dict[str, float]:
    return {name: round(mean, 6) for name, mean in pool_seeds(results).means.items()}


def _by_seed(ablation: Ablation, name: str, metric: str) -> list[float]:
    pairs = zip(ablation.results[name], ablation.results[BASE], strict=True)
    return [changed.means[metric] - base.means[metric] for changed, base in pairs]


def _plain(gap: Difference) -> dict[str, float | None]:
    named = asdict(gap)
    named["p_holm"] = named.pop("corrected")
    # JSON knows no NaN.
    return {name: None if math.isnan(value) else round(value, 6) for name, value in named.items()}


def _cells(ablation: Ablation, name: str, metric: str, gap: Difference) -> tuple[str, str, str]:
    star = "\\*" if gap.significant else ""
    seeds = ", ".join(_signed(one) for one in _by_seed(ablation, name, metric))
    whole = f"{_signed(gap.mean)}{star} ({_signed(gap.low)} to {_signed(gap.high)})"
    return f"{_mean(ablation, name, metric):.4f}", whole, seeds


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def _taken_on(ablation: Ablation) -> str:
    seeds = ", ".join(map(str, ablation.seeds))
    users = len(ablation.results[BASE][0].item_rows)
    return (
        f"{ablation.dataset}, split {ablation.split}, **validation**: {users:,} users, full ranking, training seeds "
        f"{seeds}. Difference = change minus base, in brackets its 95 % interval by a paired bootstrap over users, "
        "which does not hold the chance of a training: that shows in the differences seed by seed. "
        f"\\* = after Holm over all changes p < .05. Fingerprint `{ablation.fingerprint[:12]}`."
    )
