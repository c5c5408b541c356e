"""The vector table: content vectors of the whole catalogue, computed without gradient on a schedule."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trifocal.features.items import CatalogueFeatures
from trifocal.model.build import TrifocalModel

__all__ = ["content_table", "pooled_features", "pooled_table"]

_ITEMS_AT_ONCE = 256


def content_table(model: TrifocalModel, features: CatalogueFeatures, device: torch.device) -> Tensor:
    """Return the (N, D) content vectors of every item; the model's training mode is kept."""
    was_training = model.training
    model.eval()
    size = model.item_tower.read_out.out_features
    table = torch.zeros(len(features), size, device=device)
    with torch.no_grad():
        for start in range(0, len(features), _ITEMS_AT_ONCE):
            rows = np.arange(start, min(start + _ITEMS_AT_ONCE, len(features)))
            table[start : start + len(rows)] = model.item_tower.content(features.batch(rows).to(device))
    model.train(was_training)
    return table


def pooled_table(model: TrifocalModel, features: CatalogueFeatures, device: torch.device) -> Tensor:
    """Fit the shortcut's components to the catalogue and return its (N, P) pooled features; they never change."""
    tower = model.item_tower
    tower.text_components.fit(torch.from_numpy(features.pooled_text()).to(device))
    tower.image_components.fit(torch.from_numpy(features.pooled_image()).to(device))
    return pooled_features(model, features, device)


def pooled_features(model: TrifocalModel, features: CatalogueFeatures, device: torch.device) -> Tensor:
    """Return the (N, P) pooled features of the catalogue by the components as they were fitted."""
    chunks = []
    with torch.no_grad():
        for start in range(0, len(features), _ITEMS_AT_ONCE):
            rows = np.arange(start, min(start + _ITEMS_AT_ONCE, len(features)))
            chunks.append(model.item_tower.pooled(features.batch(rows).to(device)))
    return torch.cat(chunks)
