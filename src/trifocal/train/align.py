"""Stage 1: passes over the catalogue that align text and picture and teach the domain's words, before any behaviour."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from trifocal.batch import ItemBatch
from trifocal.progress import Bar, progress_bar
from trifocal.train.checkpoint import save_checkpoint
from trifocal.train.logs import Means, write_log
from trifocal.train.processes import from_first
from trifocal.train.run import TrainingRun
from trifocal.train.step import move

__all__ = ["align"]


def align(run: TrainingRun, folder: Path) -> None:
    """Train on items alone for the passes that are left, and keep a checkpoint in `folder` after each."""
    if run.content_objective is None or run.progress.align_epoch >= run.config.align_epochs:
        return
    with progress_bar(f"align {run.name}", run.config.align_epochs, shown=run.place.first) as bar:
        bar.advance(run.progress.align_epoch)
        while run.progress.align_epoch < run.config.align_epochs:
            _pass(run, run.content_objective, folder, bar)
            bar.advance()


def _pass(run: TrainingRun, objective: nn.Module, folder: Path, bar: Bar) -> None:
    started, progress = time.perf_counter(), run.progress
    losses = _steps(run, objective, bar)
    progress.align_epoch += 1
    progress.seconds += time.perf_counter() - started
    row = {"epoch": progress.align_epoch, "seconds": round(progress.seconds, 1), **losses}
    progress.alignment = [*(progress.alignment or []), row]
    from_first(lambda: _save(run, folder))


def _steps(run: TrainingRun, objective: nn.Module, bar: Bar) -> dict[str, float]:
    run.model.train()
    losses = Means()
    before = run.progress.align_epoch * math.ceil(len(run.data.features) / run.content_batch_size)
    for count, items in enumerate(_batches(run)):
        parts = objective(items.to(run.device))
        move(run, parts, min(1.0, (before + count + 1) / max(run.config.warmup_steps, 1)))
        for name, part in parts.items():
            losses.add(name, float(part.loss.detach()), float(part.weight))
        bar.note(" ".join(f"{name} {value:.3f}" for name, value in losses.means().items()))
    return losses.means_of_all()


def _batches(run: TrainingRun) -> Iterator[ItemBatch]:
    """The catalogue in random order; each process takes its share of every batch and draws for itself what it hides."""
    place, size = run.place, run.content_batch_size
    seeds = [run.config.seed, run.progress.align_epoch]
    own = np.random.SeedSequence([*seeds, place.rank + 1, 1])
    torch.manual_seed(int(own.generate_state(1)[0]))
    order = np.random.default_rng([*seeds, 0, 1]).permutation(len(run.data.features))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        # Two items a process are the least that can be told apart.
        if len(rows) >= 2 * place.size:
            yield run.data.features.batch(np.sort(rows[place.rank :: place.size]))


def _save(run: TrainingRun, folder: Path) -> None:
    save_checkpoint(folder, run.model, run.optimizer, run.progress)
    write_log(folder, run.progress)
