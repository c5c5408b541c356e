"""The moving parts of one training: model, objective, optimiser, progress, and the recommender they make."""

from __future__ import annotations

import copy
import hashlib
import json

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from trifocal.model import ModelConfig, ModelShapes, TrifocalModel, TwoStageRecommender, build_model
from trifocal.model.memory import ItemMemory
from trifocal.model.two_stage import Blend
from trifocal.train.batches import BatchMaker
from trifocal.train.checkpoint import Progress
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData, item_evidence
from trifocal.train.examples import search_examples
from trifocal.train.judgements import Judgements
from trifocal.train.objective import Catalogue, Objective
from trifocal.train.processes import place
from trifocal.train.table import pooled_table

__all__ = ["TrainingRun", "learning_rates"]


class TrainingRun:
    """The moving parts of one training, so that what works on them needs few arguments. Stability: internal.

    Attributes:
        objective: all losses; where several processes train, wrapped so that their gradients are averaged.
        batches: what each epoch's batches are made of.
        place: of this process.
    """

    def __init__(
        self, data: TrainingData, name: str, model_config: ModelConfig, config: TrainConfig, compact_size: int
    ) -> None:
        torch.manual_seed(config.seed)
        self.data, self.name, self.model_config, self.config = data, name, model_config, config
        self.device, self.place = torch.device(config.device), place()
        shapes = ModelShapes.of(data.state, len(data.features), data.features.grid_cells)
        self.model = build_model(model_config, shapes)
        _start(self.model, data)
        self.model.to(self.device)
        self.pooled = pooled_table(self.model, data.features, self.device)
        self.attributes = torch.from_numpy(data.features.attributes).to(self.device)
        self.objective = _objective(self.model, model_config, config)
        self.optimizer = _optimizer(self.model, config)
        self.evidence = item_evidence(data.features, data.counts, model_config.modalities, compact_size)
        searches = search_examples(data.searches, data.histories, model_config.history_length)
        self.batches = BatchMaker(data, searches, model_config, config, self.place)
        self.progress = Progress(_fingerprint(data, name, model_config, config), curve=[])

    def to_cpu(self) -> None:
        """Move what is left to do, recommending, to the CPU."""
        self.device = torch.device("cpu")
        self.model.cpu()
        self.pooled, self.attributes = self.pooled.cpu(), self.attributes.cpu()

    def catalogue(self, content: Tensor) -> Catalogue:
        """Return what a step knows of all items, with the vector table `content` (N, D)."""
        return Catalogue(
            content,
            self.pooled,
            self.attributes,
            torch.from_numpy(self.data.counts).to(self.device),
            torch.from_numpy(self.data.created_s).to(self.device),
            self.evidence,
        )

    def recommender(self, content: Tensor, memory: ItemMemory | None = None) -> TwoStageRecommender:
        """Return the present model with the vectors of `content` (N, D); no memory, no ranker until a blend is set."""
        ids = torch.arange(1, len(content) + 1, device=content.device)
        with torch.inference_mode():
            vectors = self.model.item_tower.vectors(content, self.pooled, self.attributes, ids).cpu().numpy()
        return TwoStageRecommender(
            name=self.name,
            model=self.model if self.device.type == "cpu" else copy.deepcopy(self.model).cpu(),
            item_vectors=vectors,
            evidence=self.evidence,
            memory=memory,
            blend=Blend(),
            history_length=self.model_config.history_length,
            text_width=self.data.features.text.width,
            rank_candidates=self.model_config.rank_candidates,
        )


def _start(model: TrifocalModel, data: TrainingData) -> None:
    """Tell the model what the log says before anything is learned: prices, share of clicks, mean rating."""
    model.user_tower.set_prices(torch.from_numpy(data.features.attributes[:, -1].copy()))
    if len(data.rated):
        model.rating_head.start(float(data.rated.values.mean()))
    if len(data.shown):
        with torch.no_grad():
            model.click_bias.fill_(_log_odds(data.shown))


def _log_odds(shown: Judgements) -> float:
    clicked = float(shown.values.sum())
    return float(np.log((clicked + 1) / (len(shown.values) - clicked + 1)))


def _objective(
    model: TrifocalModel, model_config: ModelConfig, config: TrainConfig
) -> Objective | DistributedDataParallel:
    objective = Objective(model, model_config, config)
    if place().size == 1:
        return objective
    # A step may leave out a part of the model: no query in the batch, nothing rated.
    return DistributedDataParallel(objective, find_unused_parameters=True)


def _optimizer(model: TrifocalModel, config: TrainConfig) -> torch.optim.Optimizer:
    ids = [p for n, p in model.named_parameters() if n == "item_tower.id_table.weight"]
    others = [p for n, p in model.named_parameters() if n != "item_tower.id_table.weight"]
    groups = [{"params": p, "lr": rate} for p, rate in zip((others, ids), learning_rates(config), strict=True)]
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)


def learning_rates(config: TrainConfig) -> tuple[float, float]:
    """Return the step sizes of the optimiser's two groups: everything else, the id table."""
    return config.learning_rate, config.id_learning_rate


def _fingerprint(data: TrainingData, name: str, model_config: ModelConfig, config: TrainConfig) -> str:
    settings = config.model_dump(exclude={"patience", "device", "tensorboard", "gradient_every"})
    about = [data.fingerprint, name, model_config.model_dump(), settings]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
