"""What is written down of a training while it runs: one JSON line an epoch, the bar's note, TensorBoard's events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch

from trifocal.errors import ConfigError
from trifocal.train.checkpoint import Progress
from trifocal.train.distill_teacher import TAUGHT
from trifocal.train.objective import PARTS
from trifocal.train.processes import summed

__all__ = ["EventWriter", "Means", "event_writer", "note", "write_events", "write_log"]


class EventWriter(Protocol):
    """What is needed of a `SummaryWriter`."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Keep one figure of one epoch."""

    def flush(self) -> None:
        """Put on disk what was kept."""


class Means:
    """Weighted means by name, as they grow.

    >>> means = Means()
    >>> means.add("loss", 1.0, 3.0)
    >>> means.add("loss", 5.0, 1.0)
    >>> means.means()  # (3 * 1 + 1 * 5) / 4
    {'loss': 2.0}
    """

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, name: str, value: float, weight: float = 1.0) -> None:
        """Count `value` in with `weight`."""
        total, weights = self._sums.get(name, (0.0, 0.0))
        self._sums[name] = (total + weight * value, weights + weight)

    def add_all(self, values: Mapping[str, float]) -> None:
        """Count each of `values` in with weight 1."""
        for name, value in values.items():
            self.add(name, value)

    def means(self) -> dict[str, float]:
        """Return the means of this process; 0 where nothing had a weight."""
        return {name: total / weight if weight else 0.0 for name, (total, weight) in self._sums.items()}

    def means_of_all(self) -> dict[str, float]:
        """Return the means over all processes, which have the same names in the same order."""
        together = summed(torch.tensor(list(self._sums.values()), dtype=torch.float64))
        pairs = zip(self._sums, together, strict=True)
        self._sums = {name: (float(total), float(weight)) for name, (total, weight) in pairs}
        return self.means()


def note(losses: Mapping[str, float], progress: Progress, metric: str) -> str:
    """Return what stands behind the bar: the loss parts, and the validation figure of the last epoch and the best."""
    parts = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
    last = (progress.curve or [{}])[-1]
    # A refit has no figure to show: it trains for as many epochs as were best.
    if metric not in last:
        return parts
    return f"{parts} | {metric} {last[metric]:.4f}, best {progress.best:.4f}"


def write_log(folder: Path, progress: Progress) -> None:
    """Write the learning curve to `train.jsonl` in `folder`, one line an epoch; that of stage 1 to `align.jsonl`."""
    for name, rows in (("align", progress.alignment), ("train", progress.curve)):
        if rows:
            lines = [json.dumps(row) for row in rows]
            (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def event_writer(folder: Path, progress: Progress) -> EventWriter:
    """Return a writer of TensorBoard event files into `folder`; what an earlier try wrote of later epochs is hidden.

    Raises:
        ConfigError: when the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as missing:
        raise ConfigError(
            "train.tensorboard is true, but the package tensorboard is not installed; "
            "`pip install 'trifocal[tensorboard]'`, or set it to false"
        ) from missing
    writer: EventWriter = SummaryWriter(str(folder), purge_step=progress.epoch + 1)
    return writer


def write_events(writer: EventWriter, row: Mapping[str, float]) -> None:
    """Write the figures of one epoch, a line of `train.jsonl`, as `loss/`, `gradient_norm/` and `validation/` ones."""
    for name, value in row.items():
        if name != "epoch":
            writer.add_scalar(_tag(name), value, int(row["epoch"]))
    writer.flush()


def _tag(name: str) -> str:
    if name in PARTS or name in TAUGHT:
        return f"loss/{name}"
    if name == "seconds":
        return name
    # TensorBoard's tags have no @.
    return name.replace(".", "/") if name.startswith("gradient_norm.") else f"validation/{name.replace('@', '_at_')}"
