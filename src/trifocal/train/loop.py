"""The training loop: epochs, vector table, validation, checkpoints, early stopping. Writes only into its folder.

```
FOLDER/checkpoint.safetensors   the newest epoch, to go on from
      /best/checkpoint.safetensors   the best epoch by validation
      /train.jsonl              one line an epoch
      /align.jsonl              one line a pass of stage 1, over the catalogue alone, where there is one
      /tensorboard/             the same for TensorBoard, where it is asked for
```
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trifocal.model import ModelConfig, TrifocalModel, TwoStageRecommender
from trifocal.model.two_stage import Blend, Knowledge
from trifocal.numerics import flushed_denormals
from trifocal.ports import Validator
from trifocal.progress import Bar, progress_bar
from trifocal.train.align import align
from trifocal.train.blend import choose_blend
from trifocal.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData
from trifocal.train.distill_teacher import TAUGHT, Teacher
from trifocal.train.knowledge import item_precision
from trifocal.train.logs import event_writer, note, write_events, write_log
from trifocal.train.objective import PARTS
from trifocal.train.processes import from_first
from trifocal.train.run import TrainingRun
from trifocal.train.second_stage import train_ranker
from trifocal.train.step import train_steps
from trifocal.train.table import content_table
from trifocal.train.warm import WarmStart

__all__ = ["TrainedModel", "train_model"]


@dataclass(frozen=True)
class TrainedModel:
    """The best epoch's model, ready to recommend.

    Attributes:
        model: in evaluation mode.
        knowledge: item vectors, evidence and memory.
        progress: seconds, epochs, learning curve of the towers alone.
        blend: how towers, memory and ranker join; chosen on validation, or given.
        validation: the figure that the blend reached; that of the towers where it was given.
        recommender: all of it behind the `Recommender` port.
    """

    model: TrifocalModel
    knowledge: Knowledge
    progress: Progress
    blend: Blend
    validation: float
    recommender: TwoStageRecommender


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
    teacher: Teacher | None = None,
    warm: WarmStart | None = None,
) -> TrainedModel:
    """Train the towers to the best epoch by `validate`, going on from a checkpoint in `folder`; then ranker and blend.

    Without `validate` (a refit, which has nothing left to validate on) the last epoch counts as the best, and
    `blend` says how towers, memory and ranker join; where it is given none is chosen. With a `teacher` the model
    starts from its weights, and is held to its item vectors and rankings; with `warm` it only starts from a bundle's.

    Raises:
        ArtifactError: when the checkpoint in `folder` is of other data or settings.
        ConfigError: when words are to be hidden and no text layer is trained.
    """
    run = TrainingRun(data, name, model_config, config, compact_size, teacher, warm)
    run.progress = load_checkpoint(folder, run.model, run.optimizer, run.progress.fingerprint) or run.progress
    writer = event_writer(folder / "tensorboard", run.progress) if config.tensorboard and run.place.first else None
    with flushed_denormals():
        align(run, folder)
    content = content_table(run.model, data.features, run.device)
    with progress_bar(f"train {name}", config.epochs, shown=run.place.first) as bar, flushed_denormals():
        bar.advance(run.progress.epoch)
        while run.progress.epoch < config.epochs and not _exhausted(run.progress, config):
            content = _epoch(run, content, folder, validate, bar)
            if writer is not None:
                write_events(writer, (run.progress.curve or [])[-1])
    load_checkpoint(folder / "best", run.model, run.optimizer, run.progress.fingerprint)
    # Only the first process has written the best epoch; the others may not see its disk.
    run.model.load_state_dict(from_first(run.model.state_dict))
    content = content_table(run.model, data.features, run.device).cpu()
    run.to_cpu()
    recommender, ranks = _with_second_stage(run, content)
    chosen, figure = blend or Blend(), run.progress.best
    if validate is not None and blend is None:
        chosen, figure = from_first(lambda: choose_blend(recommender, validate, config.metric, ranker=ranks))
    elif validate is not None:
        figure = from_first(lambda: validate(recommender.with_blend(chosen)))[config.metric]
    return TrainedModel(
        model=run.model.eval(),
        knowledge=recommender.knowledge,
        progress=run.progress,
        blend=chosen,
        validation=figure,
        recommender=recommender.with_blend(chosen),
    )


def _with_second_stage(run: TrainingRun, content: Tensor) -> tuple[TwoStageRecommender, bool]:
    """Return the recommender with its memory, and whether its ranker was trained."""
    started = time.perf_counter()
    precision = item_precision(run.data, run.model_config)
    ranks = precision is not None and run.config.second_stage.epochs > 0
    if precision is None:
        return run.recommender(content), ranks
    if ranks:
        run.progress.second_stage = train_ranker(
            run.model.ranker,
            list(run.data.histories.values()),
            precision,
            run.tables,
            config=run.config.second_stage,
            candidates=run.model_config.rank_candidates,
            history_length=run.model_config.history_length,
            seed=run.config.seed,
            warm=run.warm_ranker,
        )
    memory = precision.memory(run.model_config.memory_links)
    run.progress.seconds += time.perf_counter() - started
    return run.recommender(content, memory), ranks


def _exhausted(progress: Progress, config: TrainConfig) -> bool:
    return progress.epoch - progress.best_epoch >= config.patience


def _epoch(run: TrainingRun, content: Tensor, folder: Path, validate: Validator | None, bar: Bar) -> Tensor:
    started, progress = time.perf_counter(), run.progress
    _seed(run)
    losses = train_steps(run, run.catalogue(content), bar)
    content = content_table(run.model, run.data.features, run.device)
    progress.epoch += 1
    progress.seconds += time.perf_counter() - started
    figures = {} if validate is None else from_first(lambda: validate(run.recommender(content)))
    figure = float(progress.epoch) if validate is None else figures[run.config.metric]
    better = figure > progress.best
    if better:
        progress.best, progress.best_epoch = figure, progress.epoch
    row = {"epoch": progress.epoch, "seconds": round(progress.seconds, 1), **losses, **figures}
    progress.curve = [*(progress.curve or []), row]
    from_first(lambda: _save(run, folder, better))
    bar.advance()
    bar.note(note({name: losses[name] for name in (*PARTS, *TAUGHT) if name in losses}, progress, run.config.metric))
    return content


def _seed(run: TrainingRun) -> None:
    """Let what this process draws in the epoch follow from seed, epoch and rank: a resumed run then needs no more."""
    sequence = np.random.SeedSequence([run.config.seed, run.progress.epoch, run.place.rank + 1])
    torch.manual_seed(int(sequence.generate_state(1)[0]))


def _save(run: TrainingRun, folder: Path, better: bool) -> None:
    if better:
        save_checkpoint(folder / "best", run.model, run.optimizer, run.progress)
    save_checkpoint(folder, run.model, run.optimizer, run.progress)
    write_log(folder, run.progress)
