"""A tiny model over the small catalogue."""

from __future__ import annotations

from pathlib import Path

import torch
from tests.features.small_catalogue import small_features

from trifocal.features.items import CatalogueFeatures
from trifocal.model import ModelConfig, ModelShapes, TrifocalModel, build_model
from trifocal.model.config import Modality

SMALL = ModelConfig(
    embedding_size=16,
    pooled_size=4,
    fusion_width=16,
    fusion_heads=2,
    user_heads=2,
    user_layers=1,
    history_length=5,
    dropout=0.0,
)


def small_model(
    folder: Path, modalities: tuple[Modality, ...] = ("text", "image", "ids"), seed: int = 0
) -> tuple[TrifocalModel, CatalogueFeatures]:
    features, state = small_features(folder)
    torch.manual_seed(seed)
    config = SMALL.model_copy(update={"modalities": modalities})
    model = build_model(config, ModelShapes.of(state, len(features), features.grid_cells)).eval()
    # The causal layers start at zero; here they shall have something to say.
    torch.nn.init.normal_(model.user_tower.out.weight, std=0.2)
    return model, features
