"""Config + shapes -> the model. The only place that knows both."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trifocal.batch import CONTEXT_FIELDS
from trifocal.features.context import GAP_CODES, HOUR_CODES, WEEKDAY_CODES
from trifocal.features.items import FeatureState
from trifocal.model.config import ModelConfig
from trifocal.model.item_tower import ItemTower
from trifocal.model.ranker import Ranker
from trifocal.model.user_tower import UserTower
from trifocal.types import EVENT_CODES

__all__ = ["ModelShapes", "TrifocalModel", "build_model"]

# Temperature of the contrastive loss at the start (CLIP, section 2.3).
_TEMPERATURE = 0.07


@dataclass(frozen=True)
class ModelShapes:
    """What the data, not the config, decides about the model."""

    n_items: int
    text_width: int
    image_width: int
    grid_cells: int
    attribute_sizes: tuple[int, ...]
    devices: int
    countries: int

    @classmethod
    def of(cls, state: FeatureState, n_items: int, grid_cells: int) -> ModelShapes:
        """Return the shapes that `state` was fitted to."""
        return cls(
            n_items=n_items,
            text_width=state.text_width,
            image_width=state.image_width,
            grid_cells=grid_cells,
            attribute_sizes=state.attributes.sizes,
            devices=len(state.context.devices) + 1,
            countries=len(state.context.countries) + 1,
        )

    @property
    def context_sizes(self) -> tuple[int, ...]:
        """Codes of each of `CONTEXT_FIELDS`."""
        sizes = {
            "gap": GAP_CODES,
            "device": self.devices,
            "country": self.countries,
            "hour": HOUR_CODES,
            "weekday": WEEKDAY_CODES,
        }
        return tuple(sizes[name] for name in CONTEXT_FIELDS)


class TrifocalModel(nn.Module):
    """Item tower, user tower and ranker, with the two learned temperatures. Stability: caller.

    Attributes:
        item_tower: items -> (M, D).
        user_tower: users -> (B, D).
        ranker: (users, candidates) -> (B, K).
    """

    def __init__(self, item_tower: ItemTower, user_tower: UserTower, ranker: Ranker, embedding_size: int) -> None:
        super().__init__()
        self.item_tower, self.user_tower, self.ranker = item_tower, user_tower, ranker
        self.log_scale = nn.Parameter(torch.tensor(-0.5 * math.log(embedding_size)))
        self.log_temperature = nn.Parameter(torch.tensor(math.log(_TEMPERATURE)))

    @property
    def scale(self) -> Tensor:
        """Factor of the inner product of user and item vectors."""
        return self.log_scale.exp()


def build_model(config: ModelConfig, shapes: ModelShapes) -> TrifocalModel:
    """Return the untrained model."""
    item_tower = ItemTower(
        text_width=shapes.text_width,
        image_width=shapes.image_width,
        grid_cells=shapes.grid_cells,
        attribute_sizes=shapes.attribute_sizes,
        n_items=shapes.n_items,
        modalities=config.modalities,
        embedding_size=config.embedding_size,
        width=config.fusion_width,
        layers=config.fusion_layers,
        heads=config.fusion_heads,
        dropout=config.fusion_dropout,
        pooled_size=config.pooled_size,
    )
    user_tower = UserTower(
        context_sizes=shapes.context_sizes,
        event_codes=len(EVENT_CODES) + 1,
        text_width=shapes.text_width,
        embedding_size=config.embedding_size,
        history_length=config.history_length,
        layers=config.user_layers,
        heads=config.user_heads,
        dropout=config.dropout,
    )
    ranker = Ranker(embedding_size=config.embedding_size, width=config.ranker_width, dropout=config.dropout)
    return TrifocalModel(item_tower, user_tower, ranker, config.embedding_size)
