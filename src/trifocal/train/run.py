"""The moving parts of one training: model, objective, optimiser, progress, and the recommender they make."""

from __future__ import annotations

import copy
import hashlib
import json

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from trifocal.errors import ConfigError
from trifocal.model import ModelConfig, ModelShapes, TrifocalModel, TwoStageRecommender, build_model
from trifocal.model.build import start_text
from trifocal.model.memory import ItemMemory
from trifocal.model.two_stage import Blend, Knowledge
from trifocal.train.batches import BatchMaker
from trifocal.train.checkpoint import Progress
from trifocal.train.config import TrainConfig
from trifocal.train.content_parts import ContentObjective
from trifocal.train.data import TrainingData
from trifocal.train.distill_teacher import Teacher, start_from
from trifocal.train.examples import search_examples
from trifocal.train.knowledge import evidence_tables
from trifocal.train.objective import Catalogue, Objective
from trifocal.train.processes import place
from trifocal.train.table import pooled_features, pooled_table
from trifocal.train.warm import WarmStart

__all__ = ["TrainingRun", "learning_rates", "require_masked_text"]

_TEXT, _IDS = "item_tower.text_layers.", "item_tower.id_table."


class TrainingRun:
    """The moving parts of one training, so that what works on them needs few arguments. Stability: internal.

    Attributes:
        objective: all losses; where several processes train, wrapped so that their gradients are averaged.
        content_objective: those of stage 1, likewise; None = there is no stage 1, or nothing to learn in it.
        batches: what each epoch's batches are made of.
        place: of this process.
        weights: of the parts of the one loss, by name.
        content_batch_size: items a step of stage 1.
        warm_ranker: the ranker starts from a trained one.
    """

    def __init__(
        self,
        data: TrainingData,
        name: str,
        model_config: ModelConfig,
        config: TrainConfig,
        compact_size: int,
        teacher: Teacher | None = None,
        warm: WarmStart | None = None,
    ) -> None:
        require_masked_text(model_config, config)
        torch.manual_seed(config.seed)
        self.data, self.name, self.model_config, self.config = data, name, model_config, config
        self.device, self.place = torch.device(config.device), place()
        shapes = ModelShapes.of(data.state, len(data.features), data.features.grid_cells)
        self.model = build_model(model_config, shapes)
        _start(self.model, data, config)
        self.weights: dict[str, float] = config.losses.model_dump()
        # Items are compared with their teacher's vectors, not with each other: more and smaller steps learn faster.
        self.content_batch_size = config.batch_size if teacher is None else config.live_items
        if teacher is not None:
            start_from(teacher.model, self.model)
            teacher = teacher.to(self.device)
            self.weights |= teacher.weights
        if warm is not None:
            warm.start(self.model)
        self.model.item_tower.trust_ids(torch.from_numpy(data.counts), model_config.id_prior)
        self.model.to(self.device)
        # Warm weights stand on the components that they were trained with.
        components = pooled_table if warm is None else pooled_features
        self.pooled = components(self.model, data.features, self.device)
        self.attributes = torch.from_numpy(data.features.attributes).to(self.device)
        self.objective = _together(Objective(self.model, model_config, config, teacher))
        alone = ContentObjective(self.model, model_config, config, teacher)
        self.content_objective = _together(alone) if config.align_epochs and alone.names else None
        self.optimizer = _optimizer(self.model, config)
        self.tables = evidence_tables(data, data.features, model_config.modalities, compact_size)
        searches = search_examples(data.searches, data.histories, model_config.history_length)
        since_s, replay = (0, 1.0) if warm is None else (warm.since_s, warm.replay)
        self.batches = BatchMaker(data, searches, model_config, config, self.place, since_s, replay)
        self.warm_ranker = warm is not None and warm.ranker
        self.progress = Progress(_fingerprint(data, name, model_config, config, teacher or warm), curve=[])

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
        )

    def recommender(self, content: Tensor, memory: ItemMemory | None = None) -> TwoStageRecommender:
        """Return the present model with the vectors of `content` (N, D); no memory, no ranker until a blend is set."""
        ids = torch.arange(1, len(content) + 1, device=content.device)
        with torch.inference_mode():
            vectors = self.model.item_tower.vectors(content, self.pooled, self.attributes, ids).cpu().numpy()
        return TwoStageRecommender(
            name=self.name,
            model=self.model if self.device.type == "cpu" else copy.deepcopy(self.model).cpu(),
            knowledge=Knowledge(vectors, self.tables, memory),
            blend=Blend(),
            history_length=self.model_config.history_length,
            text_width=self.data.features.text.width,
            rank_candidates=self.model_config.rank_candidates,
        )


def require_masked_text(model_config: ModelConfig, config: TrainConfig) -> None:
    """Check that where words are hidden there are text layers to learn from it.

    Raises:
        ConfigError: when there are none.
    """
    if config.losses.mlm and not model_config.text_trainable_layers:
        raise ConfigError(
            f"train.losses.mlm = {config.losses.mlm}, but model.text_trainable_layers = 0: no text layer would learn "
            "from hidden words; set model.text_trainable_layers to 1 or more, or train.losses.mlm to 0"
        )


def _start(model: TrifocalModel, data: TrainingData, config: TrainConfig) -> None:
    """Tell the model what is known beforehand: pre-trained text layers, prices, share of clicks, mean rating."""
    if data.features.trained is not None:
        start_text(model, data.features.trained.backbone, masked=config.losses.mlm > 0)
    model.user_tower.set_prices(torch.from_numpy(data.features.attributes[:, -1].copy()))
    if len(data.rated):
        model.rating_head.start(float(data.rated.values.mean()))
    if len(data.shown):
        model.click_head.start(float(data.shown.values.sum()), len(data.shown.values))


def _together(objective: nn.Module) -> nn.Module:
    """Return `objective`, wrapped where several processes train."""
    if place().size == 1:
        return objective
    # A step may leave out a part of the model: no query in the batch, nothing rated.
    return DistributedDataParallel(objective, find_unused_parameters=True)


def _optimizer(model: TrifocalModel, config: TrainConfig) -> torch.optim.Optimizer:
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    ids, text = ([p for name, p in trained.items() if name.startswith(part)] for part in (_IDS, _TEXT))
    others = [p for name, p in trained.items() if not name.startswith((_IDS, _TEXT))]
    groups = [{"params": p, "lr": rate} for p, rate in zip((others, ids, text), learning_rates(config), strict=True)]
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)


def learning_rates(config: TrainConfig) -> tuple[float, float, float]:
    """Return the step sizes of the optimiser's three groups: everything else, the id table, the text layers."""
    return config.learning_rate, config.id_learning_rate, config.text_learning_rate


def _fingerprint(
    data: TrainingData, name: str, model_config: ModelConfig, config: TrainConfig, start: Teacher | WarmStart | None
) -> str:
    settings = config.model_dump(exclude={"patience", "device", "tensorboard", "gradient_every", "exclude_kinds"})
    about = [data.fingerprint, name, model_config.model_dump(), settings]
    if start is not None:
        about.append(start.fingerprint)
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
