"""The moving parts of one training: model, optimiser, generator, progress, and the recommender they make."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import torch
from torch import Tensor

from trifocal.model import ModelConfig, ModelShapes, TrifocalModel, TwoStageRecommender, build_model
from trifocal.model.memory import ItemMemory
from trifocal.model.two_stage import Blend
from trifocal.train.checkpoint import Progress
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData, item_evidence
from trifocal.train.examples import search_examples
from trifocal.train.table import pooled_table

__all__ = ["TrainingRun", "learning_rates"]


class TrainingRun:
    """The moving parts of one training, so that what works on them needs few arguments. Stability: internal."""

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


def _optimizer(model: TrifocalModel, config: TrainConfig) -> torch.optim.Optimizer:
    ids = [p for n, p in model.named_parameters() if n == "item_tower.id_table.weight"]
    others = [p for n, p in model.named_parameters() if n != "item_tower.id_table.weight"]
    groups = [{"params": p, "lr": rate} for p, rate in zip((others, ids), learning_rates(config), strict=True)]
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)


def learning_rates(config: TrainConfig) -> tuple[float, float]:
    """Return the step sizes of the optimiser's two groups: everything else, the id table."""
    return config.learning_rate, config.id_learning_rate


def _fingerprint(data: TrainingData, name: str, model_config: ModelConfig, config: TrainConfig) -> str:
    settings = config.model_dump(exclude={"patience", "device"})
    about = [data.fingerprint, name, model_config.model_dump(), settings]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
