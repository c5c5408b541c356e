"""The steps of one epoch: take batches, compute the losses, move the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trifocal.progress import Bar
from trifocal.train.batches import epoch_batches
from trifocal.train.checkpoint import Progress
from trifocal.train.config import TrainConfig
from trifocal.train.gradients import gradient_norms, shared_parameters
from trifocal.train.logs import Means, note
from trifocal.train.objective import Catalogue
from trifocal.train.part import Part
from trifocal.train.processes import summed
from trifocal.train.run import TrainingRun, learning_rates

__all__ = ["move", "rate_share", "train_steps"]


def train_steps(run: TrainingRun, catalogue: Catalogue, bar: Bar) -> dict[str, float]:
    """Run one epoch's steps; return the mean of each loss part, and of `gradient_norm.<part>` where it was measured."""
    run.model.train()
    losses, norms = Means(), Means()
    for count, (batch, times_s) in enumerate(epoch_batches(run.batches, run.progress.epoch)):
        parts = run.objective(batch.to(run.device), times_s.to(run.device), catalogue)
        if run.place.first and run.config.gradient_every and count % run.config.gradient_every == 0:
            weighted = {name: run.weights[name] * part.loss for name, part in parts.items()}
            norms.add_all(gradient_norms(weighted, shared_parameters(run.model)))
        move(run, parts, rate_share(run.progress, run.config))
        run.progress.step += 1
        for name, part in parts.items():
            losses.add(name, float(part.loss.detach()), float(part.weight))
        bar.note(note(losses.means(), run.progress, run.config.metric))
    return {**losses.means_of_all(), **{f"gradient_norm.{name}": norm for name, norm in norms.means().items()}}


def move(run: TrainingRun, parts: dict[str, Part], share: float) -> None:
    """Take one step of the optimiser down the weighted sum of `parts`, at `share` of the learning rates."""
    total = _total(parts, run)
    run.optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]  # torch's stub
    nn.utils.clip_grad_norm_(run.model.parameters(), run.config.gradient_norm)
    for group, rate in zip(run.optimizer.param_groups, learning_rates(run.config), strict=True):
        group["lr"] = rate * share
    run.optimizer.step()


def _total(parts: dict[str, Part], run: TrainingRun) -> Tensor:
    """The one loss. A part is the mean over the examples of all processes, and gradients are averaged over these:

    `mean of all = sum_r weight_r mean_r / sum_r weight_r = 1/R sum_r [R weight_r / sum weight] mean_r`.
    """
    own = torch.stack([part.weight for part in parts.values()]).float()
    shares = own * run.place.size / summed(own).clamp(min=1e-6)
    losses = [run.weights[name] * part.loss for name, part in parts.items()]
    total: Tensor = (torch.stack(losses) * shares).sum()
    return total


def rate_share(progress: Progress, config: TrainConfig) -> float:
    """Return the share of the learning rates that a step takes.

    It rises over the first steps, then falls epoch by epoch in a straight line, to a tenth in the last one.
    """
    warm = min(1.0, (progress.step + 1) / max(config.warmup_steps, 1))
    done = progress.epoch / max(config.epochs - 1, 1)
    return warm * (1 - 0.9 * done)
