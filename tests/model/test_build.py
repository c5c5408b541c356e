from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.model.small_model import SMALL
from tests.model.small_text import TRAINED, small_backbone, small_text_model

from trifocal.errors import ConfigError
from trifocal.model import ModelShapes, build_model
from trifocal.model.build import start_text

SHAPES = ModelShapes(n_items=4, text_width=6, image_width=6, grid_cells=4, attribute_sizes=(3,), devices=2, countries=2)


def test_text_layers_start_from_the_pre_trained_weights(tmp_path: Path) -> None:
    model, features = small_text_model(tmp_path, TRAINED.model_copy(update={"text_trainable_layers": 2}))
    layers = model.item_tower.text_layers
    assert layers is not None
    assert features.trained is not None
    for layer, state in zip(layers.layers, features.trained.backbone.states, strict=True):
        torch.testing.assert_close(layer.state_dict(), state)
    assert model.masked_text is None


def test_without_text_nothing_of_it_is_trained() -> None:
    config = TRAINED.model_copy(update={"modalities": ("image", "ids")})
    model = build_model(config, SHAPES)
    assert model.item_tower.text_layers is None
    start_text(model, small_backbone(), masked=True)
    assert model.masked_text is None


def test_features_without_the_layers_are_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"text_trainable_layers = 1, but the features are of the last layer; prepare"
    ):
        build_model(TRAINED, SHAPES)


def test_masking_needs_a_mask_token(tmp_path: Path) -> None:
    model, _ = small_text_model(tmp_path)
    with pytest.raises(ConfigError, match=r"mlm is above 0, but the tokenizer .* has no mask token; set it to 0"):
        start_text(model, replace(small_backbone(), mask_id=None), masked=True)


def test_the_default_trains_no_text_layer() -> None:
    assert build_model(SMALL, SHAPES).item_tower.text_layers is None
