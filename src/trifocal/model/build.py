"""Config + shapes -> the model. The only place that knows both."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trifocal.errors import ConfigError
from trifocal.features.context import GAP_CODES, HOUR_CODES, WEEKDAY_CODES
from trifocal.features.items import FeatureState
from trifocal.features.text_backbone import TextBackbone, TextLayerShape
from trifocal.model.click_head import ClickHead
from trifocal.model.config import ContextField, ModelConfig
from trifocal.model.evidence import evidence_columns
from trifocal.model.item_tower import ItemTower
from trifocal.model.masked_text import MaskedText
from trifocal.model.ranker import Ranker
from trifocal.model.rating_head import RatingHead
from trifocal.model.text_layers import TextLayers
from trifocal.model.user_tower import UserTower
from trifocal.types import EVENT_CODES

__all__ = ["ModelShapes", "TrifocalModel", "build_model", "start_text"]

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
    text_layer: TextLayerShape | None = None

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
            text_layer=state.text_layer,
        )

    @property
    def context_sizes(self) -> dict[ContextField, int]:
        """Codes of each field of the context, code 0 included; the price is the last attribute of an item."""
        return {
            "gap": GAP_CODES,
            "device": self.devices,
            "country": self.countries,
            "hour": HOUR_CODES,
            "weekday": WEEKDAY_CODES,
            "price": self.attribute_sizes[-1],
        }


class TrifocalModel(nn.Module):
    """Item tower, user tower and ranker, with the two learned temperatures. Stability: caller.

    Attributes:
        item_tower: items -> (M, D).
        user_tower: users -> (B, D).
        ranker: evidence -> (B, K).
        rating_head: scores -> ratings.
        click_head: scores -> log odds of a click on what is shown.
        masked_text: guesses hidden words while that is trained, else None; no part of a bundle.
    """

    def __init__(self, item_tower: ItemTower, user_tower: UserTower, ranker: Ranker, embedding_size: int) -> None:
        super().__init__()
        self.item_tower, self.user_tower, self.ranker = item_tower, user_tower, ranker
        self.masked_text: MaskedText | None = None
        self.rating_head = RatingHead(item_tower.id_table.num_embeddings - 1)
        self.click_head = ClickHead()
        self.log_scale = nn.Parameter(torch.tensor(-0.5 * math.log(embedding_size)))
        self.log_temperature = nn.Parameter(torch.tensor(math.log(_TEMPERATURE)))

    @property
    def scale(self) -> Tensor:
        """Factor of the inner product of user and item vectors."""
        return self.log_scale.exp()


def build_model(config: ModelConfig, shapes: ModelShapes) -> TrifocalModel:
    """Return the untrained model.

    Raises:
        ConfigError: when text layers are to be trained, but the features were prepared without them.
    """
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
        text_layers=_text_layers(config, shapes),
    )
    user_tower = UserTower(
        context_sizes={field: shapes.context_sizes[field] for field in config.context},
        n_items=shapes.n_items,
        event_codes=len(EVENT_CODES) + 1,
        text_width=shapes.text_width,
        embedding_size=config.embedding_size,
        history_length=config.history_length,
        layers=config.user_layers,
        heads=config.user_heads,
        dropout=config.dropout,
    )
    ranker = Ranker(
        columns=evidence_columns(len(shapes.attribute_sizes)), width=config.ranker_width, dropout=config.ranker_dropout
    )
    return TrifocalModel(item_tower, user_tower, ranker, config.embedding_size)


def start_text(model: TrifocalModel, backbone: TextBackbone, *, masked: bool) -> None:
    """Take over the pre-trained weights of the text layers in `model`; with `masked`, add what guesses hidden words.

    Raises:
        ConfigError: when tokens are to be masked and the backbone has no token for that.
    """
    if model.item_tower.text_layers is None:
        return
    model.item_tower.text_layers.load(backbone.states)
    if not masked:
        return
    if backbone.mask_id is None:
        raise ConfigError(
            "train.losses.mlm is above 0, but the tokenizer of features.text_backbone has no mask token; "
            "set it to 0 or choose another backbone"
        )
    model.masked_text = MaskedText(
        backbone.word_embeddings,
        lower=backbone.lower,
        mask_id=backbone.mask_id,
        special_ids=backbone.special_ids,
    )


def _text_layers(config: ModelConfig, shapes: ModelShapes) -> TextLayers | None:
    if not config.text_trainable_layers or "text" not in config.modalities:
        return None
    shape = shapes.text_layer
    if shape is None:
        raise ConfigError(
            f"model.text_trainable_layers = {config.text_trainable_layers}, but the features are of the last layer; "
            "prepare them with `trainable_layers`, or set it to 0"
        )
    return TextLayers(
        layers=config.text_trainable_layers,
        width=shapes.text_width,
        heads=shape.heads,
        feed_forward=shape.feed_forward,
        epsilon=shape.epsilon,
        dropout=config.fusion_dropout,
        rank=config.text_rank if config.text_adaptation == "lora" else 0,
    )
