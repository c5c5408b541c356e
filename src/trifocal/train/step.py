"""The steps of one epoch: draw batches, compute the losses, move the weights."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from trifocal.batch import Batch
from trifocal.progress import Bar
from trifocal.train.checkpoint import Progress
from trifocal.train.config import TrainConfig
from trifocal.train.examples import Example, batches, sequence_examples
from trifocal.train.objective import Catalogue, step_losses
from trifocal.train.run import TrainingRun, learning_rates

__all__ = ["train_steps"]


def train_steps(run: TrainingRun, catalogue: Catalogue, bar: Bar) -> dict[str, float]:
    """Run one epoch's steps; return the mean of each loss part."""
    run.model.train()
    sums: dict[str, float] = {}
    count = 0
    for batch, times_s in _batches(run):
        losses = step_losses(
            run.model,
            batch.to(run.device),
            times_s.to(run.device),
            catalogue,
            model_config=run.model_config,
            config=run.config,
        )
        _step(run, losses)
        for part, value in losses.items():
            sums[part] = sums.get(part, 0.0) + float(value.detach())
        count += 1
        bar.note(" ".join(f"{part} {total / count:.3f}" for part, total in sums.items()))
    return {part: total / count for part, total in sums.items()}


def _batches(run: TrainingRun) -> Iterator[tuple[Batch, Tensor]]:
    examples: list[Example] = sequence_examples(
        list(run.data.histories.values()),
        run.model_config.history_length,
        shuffle_ties=run.config.shuffle_ties,
        generator=run.generator,
    )
    drawn = run.generator.permutation(len(run.searches))[: run.config.max_search_examples]
    return batches(
        examples + [run.searches[row] for row in drawn],
        run.data.features,
        batch_size=run.config.batch_size,
        live_items=run.config.live_items,
        history_length=run.model_config.history_length,
        generator=run.generator,
    )


def _step(run: TrainingRun, losses: dict[str, Tensor]) -> None:
    weights = run.config.losses.model_dump()
    total = torch.stack([weights[part] * value for part, value in losses.items()]).sum()
    run.optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]  # torch's stub
    nn.utils.clip_grad_norm_(run.model.parameters(), run.config.gradient_norm)
    share = _rate_share(run.progress, run.config)
    for group, rate in zip(run.optimizer.param_groups, learning_rates(run.config), strict=True):
        group["lr"] = rate * share
    run.optimizer.step()
    run.progress.step += 1


def _rate_share(progress: Progress, config: TrainConfig) -> float:
    """Rise over the first steps, then fall epoch by epoch in a straight line, to a tenth in the last one."""
    warm = min(1.0, (progress.step + 1) / max(config.warmup_steps, 1))
    done = progress.epoch / max(config.epochs - 1, 1)
    return warm * (1 - 0.9 * done)
