"""A trained bundle -> its page: losses, validation, learning rates, time, blend, settings, some users.

Reads the bundle's manifest and the logs beside it; writes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trifocal.bundle import Manifest
from trifocal.report import (
    Chart,
    Charts,
    Fact,
    Line,
    Listed,
    Note,
    Origin,
    Page,
    Rows,
    Section,
    Table,
    lines,
)
from trifocal.report.drawing import metric_label
from trifocal.report.learning_curve import learning_chart, learning_curve, loss_parts
from trifocal.report.wording import counted, fixed
from trifocal.train.checkpoint import Progress
from trifocal.train.config import TrainConfig
from trifocal.train.report_values import USERS_HINT
from trifocal.train.run import learning_rates
from trifocal.train.step import rate_share

__all__ = ["Training", "training_page"]

# Figures of the table, as far as they were taken.
_VALIDATION = ("recall@20", "ndcg@10", "map@20")
_COUNTS = ("items", "users", "events")
_FOOT = (
    "Validation figures by epoch are of the towers alone, by full ranking; the headline figure is of towers, memory "
    "and ranker together."
)
_BLEND = {
    "retrieval": "deep score in retrieval, beside the memory's",
    "ranker": "the ranker reorders",
    "ranking": "deep score in ranking, beside the ranker's",
}


@dataclass(frozen=True)
class Training:
    """One training, as its page tells it.

    Attributes:
        manifest: of the bundle that was written.
        dataset: its name.
        config: losses, optimiser and schedule.
        text_layers: text layers that learned.
        alignment: one row a pass over the catalogue before the first epoch; empty = there was none.
        seconds: stage -> seconds of the clock.
        changed: section -> settings that are not the defaults.
        users: rows of cards of some users.
    """

    manifest: Manifest
    dataset: str
    config: TrainConfig
    text_layers: int = 0
    alignment: Sequence[Mapping[str, float]] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    changed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    users: Sequence[Rows] = ()


def training_page(training: Training, origin: Origin | None = None) -> Page:
    """Return the page of `training`."""
    manifest, metrics, origin = training.manifest, training.manifest.metrics, origin or Origin()
    metric = metric_label(str(metrics.get("metric", training.config.metric)))
    facts = [
        Fact(f"Validation {metric}", fixed(metrics["validation"], 4)),
        Fact("Best epoch", f"{metrics['best_epoch']} of {training.config.epochs}"),
        Fact("Training, seconds", fixed(metrics["train_seconds"], 1)),
        Fact("Parameters", f"{metrics['parameters']:,}"),
        *(Fact(name.capitalize(), f"{manifest.counts[name]:,}") for name in _COUNTS if name in manifest.counts),
    ]  # fmt: skip
    said = (
        f"{manifest.model_name} reaches {metric} {metrics['validation']:.4f} on validation, split {metrics['split']}."
    )
    return Page(
        "training",
        f"{training.dataset}, {manifest.model_name}",
        list(_sections(training)),
        verdicts=[Note(said)],
        facts=facts,
        remarks=[f"Bundle {manifest.model_version}.", _FOOT],
        origin=Origin(origin.command, origin.made, manifest.data_fingerprint),
    )


def _sections(training: Training) -> Iterator[Section]:
    curve = learning_curve(training.manifest.model_name, training.manifest.metrics)
    if curve is not None:
        charts = [learning_chart(curve), _rate_chart(training, len(curve.rows))]
        norms = _norm_lines(curve.rows)
        if norms:
            charts.append(lines(norms, "Gradient norm of each part of the loss", "epoch"))
        hint = "The epoch that is marked is the one that is kept. Parts of the loss before their weights."
        yield Section("Learning", [Charts(charts), _epochs_table(curve.rows)], hint)
    if training.alignment:
        hint = "Passes over the catalogue alone, before the first epoch."
        yield Section("Before the first epoch", [_passes_table(training.alignment)], hint)
    yield Section("Blend", [_blend_table(training)], "How towers, memory and ranker join; chosen on validation.")
    yield Section("Time", [_time_table(training)], "Seconds of the clock on the machine that trained.")
    changed = [Listed(training.changed)] if training.changed else [Note("All settings are the defaults.")]
    yield Section("Settings that are not the defaults", changed)
    if training.users:
        yield Section(f"{counted(len(training.users), 'user')}, drawn at random", list(training.users), USERS_HINT)


def _rate_chart(training: Training, epochs: int) -> Chart:
    """Learning rates after the first steps, as planned and as far as it was trained."""
    config, places = training.config, [*range(1, epochs + 1)]
    groups = ("all else", "ids", "text layers")
    rates = dict(zip(groups, learning_rates(config), strict=True))
    if not training.text_layers:
        del rates["text layers"]
    shares = [rate_share(Progress("", epoch=place - 1, step=config.warmup_steps), config) for place in places]
    # Groups of the same rate are one line.
    same = {rate: [name for name in rates if rates[name] == rate] for rate in rates.values()}
    found = [
        Line(f"{', '.join(names)} {rate:g}", places, [rate * share for share in shares]) for rate, names in same.items()
    ]
    title = f"Learning rates by epoch, after {config.warmup_steps} steps of rising"
    return lines(found, title, "epoch", log_range=_decades([y for line in found for y in line.y]))


def _decades(values: Sequence[float]) -> tuple[float, float]:
    return 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values)))


def _norm_lines(rows: Sequence[Mapping[str, float]]) -> list[Line]:
    start = "gradient_norm."
    names = [name for name in rows[0] if name.startswith(start) and rows[0][name] > 0]
    epochs = [row["epoch"] for row in rows]
    return [Line(name.removeprefix(start), epochs, [row.get(name, math.nan) for row in rows]) for name in names]


def _epochs_table(rows: Sequence[Mapping[str, float]]) -> Table:
    parts, figures = loss_parts(rows), [name for name in _VALIDATION if name in rows[0]]
    columns = ["Epoch", "Seconds so far", *parts, *(metric_label(name) for name in figures)]
    shown = [
        [
            f"{row['epoch']:.0f}",
            fixed(row.get("seconds"), 1),
            *(fixed(row.get(name), 4) for name in parts),
            *(fixed(row.get(name), 4) for name in figures),
        ]
        for row in rows
    ]
    return Table("Losses and validation figures by epoch", columns, shown)


def _passes_table(rows: Sequence[Mapping[str, float]]) -> Table:
    parts = loss_parts(rows)
    shown = [[f"{row['epoch']:.0f}", *(fixed(row.get(name), 4) for name in parts)] for row in rows]
    return Table("Losses by pass over the catalogue", ["Pass", *parts], shown)


def _blend_table(training: Training) -> Table:
    blend = training.manifest.metrics["blend"]
    rows = [[said, _chosen(blend[name])] for name, said in _BLEND.items() if name in blend]
    return Table("The blend that was chosen", ["Setting", "Chosen"], rows)


def _chosen(value: object) -> str:
    return (
        "yes" if value is True else "no" if value is False else f"{value:g}" if isinstance(value, float) else str(value)
    )


def _time_table(training: Training) -> Table:
    metrics = training.manifest.metrics
    curve: Sequence[Mapping[str, float]] = metrics.get("curve") or ()
    before = training.alignment[-1].get("seconds", 0.0) if training.alignment else 0.0
    stages = dict(training.seconds)
    if before:
        stages["passes over the catalogue"] = before
    if curve:
        stages["epochs, to choose the best"] = curve[-1].get("seconds", 0.0) - before
    refit = "refit" in str(metrics["split"])
    stages["training of what is served" if refit else "all of the training, second stage too"] = metrics[
        "train_seconds"
    ]
    return Table("Seconds by stage", ["Stage", "Seconds"], [[name, fixed(spent, 1)] for name, spent in stages.items()])
