"""The small catalogue with text layers to train: tokens of letters, and a backbone of drawn weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from tests.features.small_catalogue import WIDTH, LetterSource, small_features, small_items
from tests.model.small_model import SMALL
from torch import Tensor

from trifocal import columns as c
from trifocal.features.items import CatalogueFeatures, FeatureState, TrainedText
from trifocal.features.text_backbone import TextBackbone, TextLayerShape
from trifocal.features.token_cache import TokenCache, text_key
from trifocal.model import ModelShapes, TrifocalModel, build_model
from trifocal.model.build import start_text
from trifocal.model.config import ModelConfig
from trifocal.model.text_layers import TextLayer

TRAINED = SMALL.model_copy(update={"text_trainable_layers": 1})
VOCABULARY = 12
MASK_ID = 1
SHAPE = TextLayerShape(heads=2, feed_forward=8, epsilon=1e-5, vocabulary=VOCABULARY)


def small_backbone(layers: int = 1) -> TextBackbone:
    """Tokens 0 and 1 are special; the frozen layers give each token its word embedding."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        words = torch.randn(VOCABULARY, WIDTH)
        stack = [TextLayer(WIDTH, 2, 8, 1e-5, 0.0).state_dict() for _ in range(layers)]

    def lower(token_ids: Tensor, mask: Tensor) -> Tensor:
        return words[token_ids] * mask[..., None]

    return TextBackbone(SHAPE, tuple(stack), words, special_ids=(0, MASK_ID), mask_id=MASK_ID, lower=lower)


def small_trained_features(folder: Path, layers: int = 1) -> tuple[CatalogueFeatures, FeatureState]:
    """As `small_features`; the last layer sees a text's letters twice, and a word's id is its length."""
    features, state = small_features(folder)
    titles = [title for title in small_items()[c.TITLE].to_list() if title]
    last = TokenCache(folder, LetterSource("text-last", "letters-last"))
    last.add([f"{title} {title}" for title in titles], [text_key(title) for title in titles])
    ids = {text_key(title): [min(len(word) + 1, VOCABULARY - 1) for word in title.split()] for title in titles}
    trained = TrainedText(small_backbone(layers), last, ids)
    return replace(features, trained=trained), replace(state, text_layer=SHAPE)


def small_text_model(
    folder: Path, config: ModelConfig = TRAINED, *, masked: bool = False
) -> tuple[TrifocalModel, CatalogueFeatures]:
    """The small model with text layers as pre-trained."""
    features, state = small_trained_features(folder, config.text_trainable_layers)
    torch.manual_seed(0)
    model = build_model(config, ModelShapes.of(state, len(features), features.grid_cells)).eval()
    if features.trained is not None:
        start_text(model, features.trained.backbone, masked=masked)
    return model, features
