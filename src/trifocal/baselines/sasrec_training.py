"""Windows + network -> the network of the best epoch; writes its state after each epoch where it is given a folder.

Everything random is drawn anew from (seed, epoch), so that a run that was cut off goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trifocal.baselines.sasrec_batches import WindowBatch, shuffled_within, window_batches
from trifocal.baselines.sasrec_checkpoint import SasrecProgress, load_state, save_state
from trifocal.baselines.sasrec_network import SasrecNetwork, full_softmax_loss, sampled_softmax_loss
from trifocal.baselines.sasrec_settings import SasrecSettings
from trifocal.numerics import flushed_denormals
from trifocal.progress import Bar, progress_bar
from trifocal.types import IntArray

__all__ = ["FULL_SOFTMAX_ITEMS", "build_network", "train_network"]

# Above it a step over all items costs more than the rest of the network by far.
FULL_SOFTMAX_ITEMS = 20_000
# As in the authors' code (github.com/kang205/SASRec, model.py): the second moment forgets faster than Adam's default.
_BETAS = (0.9, 0.98)
_LAST_SHARE = 0.1


@dataclass
class _Run:
    parts: Sequence[IntArray]
    settings: SasrecSettings
    seed: int
    network: SasrecNetwork
    optimizer: torch.optim.Optimizer
    progress: SasrecProgress
    best: dict[str, Tensor]
    steps_an_epoch: int = 1
    moments: Sequence[IntArray] | None = None


def build_network(n_items: int, settings: SasrecSettings, seed: int) -> SasrecNetwork:
    """Return the untrained network; the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SasrecNetwork(
            n_items,
            embedding_size=settings.embedding_size,
            layers=settings.layers,
            heads=settings.heads,
            history_length=settings.history_length,
            dropout=settings.dropout,
        )


def train_network(
    parts: Sequence[IntArray],
    n_items: int,
    settings: SasrecSettings,
    *,
    seed: int,
    figure: Callable[[SasrecNetwork], dict[str, float]] | None,
    metric: str,
    folder: Path | None,
    moments: Sequence[IntArray] | None = None,
) -> tuple[SasrecNetwork, SasrecProgress]:
    """Return the network of the best epoch and how training went.

    Args:
        parts: windows of at least two events each.
        n_items: N, rows of the catalogue.
        settings: sizes and learning.
        seed: of weights, order and dropout.
        figure: validation figures of a network; None = the last epoch is the best.
        metric: name of the figure that says which epoch is best.
        folder: where to keep the state, and to go on from; None = nowhere.
        moments: of each event of `parts`, whose order within a moment is then drawn anew each epoch; None = it stays.

    Raises:
        ArtifactError: when `folder` holds the checkpoint of another run.
    """
    run = _start(parts, n_items, settings, seed=seed, metric=metric, folder=folder)
    run.moments = moments
    with progress_bar("train sasrec", settings.epochs) as bar, flushed_denormals():
        bar.advance(run.progress.epoch)
        while run.progress.epoch < settings.epochs and not _exhausted(run):
            _epoch(run, figure, metric, bar)
            if folder is not None:
                save_state(folder, run.network, run.optimizer, run.progress, run.best)
    run.network.load_state_dict(run.best)
    return run.network.eval(), run.progress


def _start(
    parts: Sequence[IntArray], n_items: int, settings: SasrecSettings, *, seed: int, metric: str, folder: Path | None
) -> _Run:
    network = build_network(n_items, settings, seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, betas=_BETAS, fused=True)
    progress = SasrecProgress(_fingerprint(parts, n_items, settings, seed, metric))
    found = None if folder is None else load_state(folder, network, optimizer, progress.fingerprint)
    progress, best = found or (progress, _copy(network))
    run = _Run(parts, settings, seed, network, optimizer, progress, best)
    run.steps_an_epoch = sum(1 for _ in _batches(run))
    return run


def _exhausted(run: _Run) -> bool:
    return run.progress.epoch - run.progress.best_epoch >= run.settings.patience


def _epoch(run: _Run, figure: Callable[[SasrecNetwork], dict[str, float]] | None, metric: str, bar: Bar) -> None:
    started = time.perf_counter()
    loss = _train_steps(run, bar)
    progress = run.progress
    progress.epoch += 1
    progress.seconds += time.perf_counter() - started
    figures = _validated(run, figure)
    progress.curve.append({"epoch": progress.epoch, "seconds": round(progress.seconds, 1), "loss": loss, **figures})
    now = float(progress.epoch) if figure is None else figures.get(metric, -1.0)
    if now > progress.best:
        progress.best, progress.best_epoch, run.best = now, progress.epoch, _copy(run.network)
    bar.advance()
    bar.note(f"loss {loss:.3f}" + (f", best {metric} {progress.best:.4f}" if figure else ""))


def _validated(run: _Run, figure: Callable[[SasrecNetwork], dict[str, float]] | None) -> dict[str, float]:
    due = run.progress.epoch % run.settings.validate_every == 0 or run.progress.epoch == run.settings.epochs
    return figure(run.network.eval()) if figure is not None and due else {}


def _train_steps(run: _Run, bar: Bar) -> float:
    """Run one epoch's steps; return the mean loss."""
    run.network.train()
    total, count = 0.0, 0
    with _seeded(run.seed, run.progress.epoch):
        for batch in _batches(run):
            total += _step(run, batch)
            count += 1
            bar.note(f"loss {total / count:.3f}")
    return total / count


@contextmanager
def _seeded(seed: int, epoch: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
        yield


def _batches(run: _Run) -> Iterator[WindowBatch]:
    positions = run.settings.batch_size * run.settings.history_length
    rng = np.random.default_rng([run.seed, run.progress.epoch])
    parts = run.parts if run.moments is None else shuffled_within(run.parts, run.moments, rng)
    return window_batches(parts, positions, rng)


def _step(run: _Run, batch: WindowBatch) -> float:
    loss = _loss(run.network, batch, run.settings)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch's stub
    for group in run.optimizer.param_groups:
        group["lr"] = run.settings.learning_rate * _rate_share(run)
    run.optimizer.step()
    run.progress.step += 1
    return float(loss.detach())


def _loss(network: SasrecNetwork, batch: WindowBatch, settings: SasrecSettings) -> Tensor:
    narrow = settings.precision == "bfloat16"
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=narrow):
        # Padded places are dropped before the product with all items, the dearest one.
        states = network(batch.item_rows, batch.lengths)[batch.real]
    states = states.to(torch.bfloat16 if narrow else torch.float32)
    table = network.item_table.weight
    if len(table) <= FULL_SOFTMAX_ITEMS:
        return full_softmax_loss(states, table, batch.targets)
    return sampled_softmax_loss(states, table, batch.targets, torch.randint(len(table), (settings.negatives,)))


def _rate_share(run: _Run) -> float:
    """Rise over the first steps, then fall along half a cosine to a tenth at the end of the last epoch."""
    warm = min(1.0, (run.progress.step + 1) / max(run.settings.warmup_steps, 1))
    done = min(1.0, run.progress.step / (run.steps_an_epoch * run.settings.epochs))
    return warm * (_LAST_SHARE + (1 - _LAST_SHARE) * (1 + math.cos(math.pi * done)) / 2)


def _copy(network: SasrecNetwork) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _fingerprint(parts: Sequence[IntArray], n_items: int, settings: SasrecSettings, seed: int, metric: str) -> str:
    # Patience and the pace of validation may be changed between two sittings of one run.
    told = {name: value for name, value in asdict(settings).items() if name not in ("patience", "validate_every")}
    about = hashlib.sha256(json.dumps([n_items, told, seed, metric], sort_keys=True).encode())
    for part in parts:
        about.update(part.tobytes() + b"|")
    return about.hexdigest()
