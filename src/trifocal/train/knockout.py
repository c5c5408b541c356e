"""A trained model of which one source of knowledge is taken away: what does it lose? Trains nothing anew.

Source: shuffled modalities as a test of multimodal recommenders, arXiv 2508.07399. A gain that survives the shuffling
of the pictures does not come from the pictures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import torch

from trifocal.errors import ArtifactError
from trifocal.features.items import CatalogueFeatures
from trifocal.model.build import TrifocalModel
from trifocal.model.config import ModelConfig
from trifocal.model.two_stage import Knowledge, TwoStageRecommender
from trifocal.train.data import TrainingData
from trifocal.train.knowledge import evidence_tables, item_precision
from trifocal.train.table import content_table, pooled_features
from trifocal.types import FloatArray, IntArray

__all__ = ["KNOCKOUTS", "Knockout", "knocked_out"]

Knockout = Literal["texts shuffled", "pictures shuffled", "ids off"]

KNOCKOUTS: tuple[Knockout, ...] = get_args(Knockout)


def knocked_out(
    recommender: TwoStageRecommender,
    data: TrainingData,
    config: ModelConfig,
    *,
    what: Knockout,
    compact_size: int,
    seed: int = 0,
) -> TwoStageRecommender:
    """Return `recommender` with `what` taken away, named after it; its weights and its blend stay as they were.

    Shuffled content goes everywhere that content goes: towers, evidence, and the kernels of the memory, which is
    solved once more. Without ids, items have no id vector, memory and evidence know content alone, and nothing is
    popular.

    Args:
        recommender: as trained on `data`.
        data: what it learned from.
        config: of the model.
        what: the source that is taken away.
        compact_size: of the ranker's evidence, as trained.
        seed: of the shuffling.

    Raises:
        ArtifactError: when `data` has other items than the recommender.
    """
    if len(data.features) != len(recommender.item_vectors):
        raise ArtifactError(
            f"the model knows {len(recommender.item_vectors):,} items, the data has {len(data.features):,}; "
            "give what it was trained on"
        )
    order = np.random.default_rng(seed).permutation(len(data.features))
    changed = _changed(data, what, order)
    precision = item_precision(changed, config)
    knowledge = Knowledge(
        vectors=_vectors(recommender.model, changed.features, ids=what != "ids off"),
        evidence=evidence_tables(changed, changed.features, config.modalities, compact_size),
        memory=None if precision is None else precision.memory(config.memory_links),
    )
    return recommender.with_items(f"{recommender.name}, {what}", knowledge)


def _changed(data: TrainingData, what: Knockout, order: IntArray) -> TrainingData:
    match what:
        case "texts shuffled":
            keys = tuple(data.features.text_keys[row] for row in order)
            return replace(data, features=replace(data.features, text_keys=keys))
        case "pictures shuffled":
            keys = tuple(data.features.image_keys[row] for row in order)
            return replace(data, features=replace(data.features, image_keys=keys))
        case "ids off":
            return replace(data, histories={})


def _vectors(model: TrifocalModel, features: CatalogueFeatures, *, ids: bool) -> FloatArray:
    device = torch.device("cpu")
    content = content_table(model, features, device)
    codes = torch.arange(1, len(features) + 1) if ids else torch.zeros(len(features), dtype=torch.int64)
    attributes = torch.from_numpy(features.attributes)
    with torch.inference_mode():
        pooled = pooled_features(model, features, device)
        vectors: FloatArray = model.item_tower.vectors(content, pooled, attributes, codes).numpy()
    return vectors
