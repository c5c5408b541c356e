"""The training loop: epochs, vector table, validation, checkpoints, early stopping. Writes only into its folder.

```
FOLDER/checkpoint.safetensors   the newest epoch, to go on from
      /best/checkpoint.safetensors   the best epoch by validation
      /train.jsonl              one line an epoch
```
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trifocal.batch import Batch
from trifocal.model import ModelConfig, ModelShapes, TrifocalModel, TwoStageRecommender, build_model
from trifocal.model.memory import ItemMemory
from trifocal.model.ranker import ItemEvidence
from trifocal.model.two_stage import Blend
from trifocal.numerics import flushed_denormals
from trifocal.ports import Validator
from trifocal.progress import Bar, progress_bar
from trifocal.train.blend import choose_blend
from trifocal.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData, item_evidence, item_memory
from trifocal.train.examples import Example, batches, search_examples, sequence_examples
from trifocal.train.objective import Catalogue, step_losses
from trifocal.train.table import content_table, pooled_table

__all__ = ["TrainedModel", "train_model"]


@dataclass(frozen=True)
class TrainedModel:
    """The best epoch's model, ready to recommend.

    Attributes:
        model: in evaluation mode.
        item_vectors: (N, D).
        evidence: the ranker's tables.
        progress: seconds, epochs, learning curve of the towers alone.
        memory: links between items, or None.
        blend: what memory and ranker add; chosen on validation, or given.
        validation: the figure that the blend reached; that of the towers where it was given.
        recommender: all of it behind the `Recommender` port.
    """

    model: TrifocalModel
    item_vectors: Tensor
    evidence: ItemEvidence
    progress: Progress
    memory: ItemMemory | None
    blend: Blend
    validation: float
    recommender: TwoStageRecommender


class _Run:
    """The moving parts of one training, so that the steps below need few arguments."""

    def __init__(
        self, data: TrainingData, name: str, model_config: ModelConfig, config: TrainConfig, compact_size: int
    ) -> None:
        torch.manual_seed(config.seed)
        self.data, self.name, self.model_config, self.config = data, name, model_config, config
        self.device = torch.device(config.device)
        shapes = ModelShapes.of(data.state, len(data.features), data.features.grid_cells)
        self.model = build_model(model_config, shapes).to(self.device)
        self.pooled = pooled_table(self.model, data.features, self.device)
        self.attributes = torch.from_numpy(data.features.attributes).to(self.device)
        self.optimizer = _optimizer(self.model, config)
        self.generator = np.random.default_rng(config.seed)
        self.evidence = item_evidence(data.features, data.counts, model_config.modalities, compact_size)
        self.searches = search_examples(data.searches, data.histories, model_config.history_length)
        self.progress = Progress(_fingerprint(data, name, model_config, config), curve=[])

    def recommender(self, content: Tensor, memory: ItemMemory | None = None) -> TwoStageRecommender:
        """Return the present model with the vectors of `content` (N, D); no memory, no ranker until a blend is set."""
        ids = torch.arange(1, len(content) + 1, device=content.device)
        with torch.inference_mode():
            vectors = self.model.item_tower.vectors(content, self.pooled, self.attributes, ids).cpu().numpy()
        return TwoStageRecommender(
            name=self.name,
            model=self.model,
            item_vectors=vectors,
            evidence=self.evidence,
            memory=memory,
            blend=Blend(),
            history_length=self.model_config.history_length,
            text_width=self.data.features.text.width,
            rank_candidates=self.model_config.rank_candidates,
        )


def train_model(
    data: TrainingData,
    *,
    name: str,
    model_config: ModelConfig,
    config: TrainConfig,
    compact_size: int,
    folder: Path,
    validate: Validator | None,
    blend: Blend | None = None,
) -> TrainedModel:
    """Train to the best epoch by `validate`, going on from `folder` where a checkpoint lies there; then blend.

    Without `validate` (a refit, which has nothing left to validate on) the last epoch counts as the best, and
    `blend` says what memory and ranker add.

    Raises:
        ArtifactError: when the checkpoint in `folder` is of other data or settings.
    """
    run = _Run(data, name, model_config, config, compact_size)
    _resume(run, folder)
    content = content_table(run.model, data.features, run.device)
    with progress_bar(f"train {name}", config.epochs) as bar, flushed_denormals():
        bar.advance(run.progress.epoch)
        while run.progress.epoch < config.epochs and not _exhausted(run.progress, config):
            content = _epoch(run, content, folder, validate, bar)
    load_checkpoint(folder / "best", run.model, run.optimizer, run.progress.fingerprint)
    content = content_table(run.model, data.features, run.device)
    memory = item_memory(data, model_config)
    recommender = run.recommender(content, memory)
    chosen, figure = blend or Blend(), run.progress.best
    if validate is not None:
        chosen, figure = choose_blend(recommender, validate, config.metric)
    return TrainedModel(
        model=run.model.eval(),
        item_vectors=torch.from_numpy(recommender.item_vectors),
        evidence=run.evidence,
        progress=run.progress,
        memory=memory,
        blend=chosen,
        validation=figure,
        recommender=recommender.with_blend(chosen),
    )


def _resume(run: _Run, folder: Path) -> None:
    found = load_checkpoint(folder, run.model, run.optimizer, run.progress.fingerprint)
    if found is not None:
        run.progress, generators = found
        run.generator.bit_generator.state = generators["numpy"]


def _exhausted(progress: Progress, config: TrainConfig) -> bool:
    return progress.epoch - progress.best_epoch >= config.patience


def _epoch(run: _Run, content: Tensor, folder: Path, validate: Validator | None, bar: Bar) -> Tensor:
    started = time.perf_counter()
    catalogue = Catalogue(
        content,
        run.pooled,
        run.attributes,
        torch.from_numpy(run.data.counts).to(run.device),
        torch.from_numpy(run.data.created_s).to(run.device),
        run.evidence,
    )
    parts = _train_steps(run, catalogue, bar)
    content = content_table(run.model, run.data.features, run.device)
    progress = run.progress
    progress.epoch += 1
    progress.seconds += time.perf_counter() - started
    figures = {} if validate is None else validate(run.recommender(content))
    figure = float(progress.epoch) if validate is None else figures[run.config.metric]
    better = figure > progress.best
    if better:
        progress.best, progress.best_epoch = figure, progress.epoch
    row = {"epoch": progress.epoch, "seconds": round(progress.seconds, 1), **parts, **figures}
    progress.curve = [*(progress.curve or []), row]
    generators = {"numpy": run.generator.bit_generator.state}
    if better:
        save_checkpoint(folder / "best", run.model, run.optimizer, progress, generators)
    save_checkpoint(folder, run.model, run.optimizer, progress, generators)
    _log(folder, progress)
    bar.advance()
    # A refit has no figure to show: it trains for as many epochs as were best.
    bar.note("refit" if validate is None else f"{run.config.metric} {figure:.4f}, best {progress.best:.4f}")
    return content


def _train_steps(run: _Run, catalogue: Catalogue, bar: Bar) -> dict[str, float]:
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


def _batches(run: _Run) -> Iterator[tuple[Batch, Tensor]]:
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


def _step(run: _Run, losses: dict[str, Tensor]) -> None:
    weights = run.config.losses.model_dump()
    total = torch.stack([weights[part] * value for part, value in losses.items()]).sum()
    run.optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]  # torch's stub
    nn.utils.clip_grad_norm_(run.model.parameters(), run.config.gradient_norm)
    share = _rate_share(run.progress, run.config)
    for group, rate in zip(run.optimizer.param_groups, _rates(run.config), strict=True):
        group["lr"] = rate * share
    run.optimizer.step()
    run.progress.step += 1


def _rate_share(progress: Progress, config: TrainConfig) -> float:
    """Rise over the first steps, then fall epoch by epoch in a straight line, to a tenth in the last one."""
    warm = min(1.0, (progress.step + 1) / max(config.warmup_steps, 1))
    done = progress.epoch / max(config.epochs - 1, 1)
    return warm * (1 - 0.9 * done)


def _optimizer(model: TrifocalModel, config: TrainConfig) -> torch.optim.Optimizer:
    ids = [p for n, p in model.named_parameters() if n == "item_tower.id_table.weight"]
    others = [p for n, p in model.named_parameters() if n != "item_tower.id_table.weight"]
    groups = [{"params": p, "lr": rate} for p, rate in zip((others, ids), _rates(config), strict=True)]
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)


def _rates(config: TrainConfig) -> tuple[float, float]:
    return config.learning_rate, config.id_learning_rate


def _fingerprint(data: TrainingData, name: str, model_config: ModelConfig, config: TrainConfig) -> str:
    settings = config.model_dump(exclude={"patience", "device"})
    about = [data.fingerprint, name, model_config.model_dump(), settings]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _log(folder: Path, progress: Progress) -> None:
    lines = [json.dumps(row) for row in progress.curve or []]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
