"""The whole catalogue through backbones by path, and through one that is trained on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.features.small_catalogue import small_items
from tests.features.tiny_backbones import drawn, image_folder, text_folder

from trifocal import columns as c
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.config import FeaturesConfig, ScratchConfig
from trifocal.features.items import CatalogueFeatures, encode_catalogue, item_texts
from trifocal.features.scratch import stored_text_source
from trifocal.features.text import text_source

ITEMS = small_items(5)


def encoded(folder: Path, config: FeaturesConfig, items: pl.DataFrame = ITEMS) -> CatalogueFeatures:
    for place, name in enumerate(items[c.IMAGE].drop_nulls()):
        drawn(folder / name, ["red", "white", "blue", ("black", "green")[place % 2]])
    attributes = AttributeEncoder.fit(items, price_buckets=2, max_values=100)
    return encode_catalogue(items, folder, attributes, config, folder / "cache")


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("roberta", "vit"),
        ("gpt2", "dinov2"),
        ("clip-text", "clip-vision"),
        ("clip", "clip"),
        ("roberta", "siglip"),
        ("gpt2", "dinov2-registers"),
    ],
)
def test_a_catalogue_is_encoded_by_backbones_of_any_family(tmp_path: Path, text: str, image: str) -> None:
    folders = text_folder(text, tmp_path / "text"), image_folder(image, tmp_path / "image")
    config = FeaturesConfig(text_backbone=str(folders[0]), image_backbone=str(folders[1]), image_grid=2)
    features = encoded(tmp_path, config)
    batch = features.batch(range(5))
    batch.validate()
    assert (batch.text.shape[2], tuple(batch.image.shape[1:])) == (16, (4, 16))
    # i1 has no text, i2 no picture.
    assert [key is None for key in features.text_keys] == [False, True, False, False, False]
    assert batch.image_mask.tolist() == [True, True, False, True, True]
    texts = [t for t in item_texts(ITEMS) if t is not None]
    # The cache keeps half precision.
    expected = text_source(str(folders[0])).pooled(texts)
    np.testing.assert_allclose(features.pooled_text()[[0, 2, 3, 4]], expected, atol=5e-3)
    # Pictures are drawn black and green by turns: i0, i1, i3, i4.
    pooled = features.pooled_image()
    np.testing.assert_array_equal(pooled[0], pooled[3])
    assert np.abs(pooled[0] - pooled[1]).max() > 0.01
    assert features.text_encoder is None


def test_the_encoder_trained_on_a_catalogue_is_the_one_that_reads_its_queries(tmp_path: Path) -> None:
    scratch = ScratchConfig(width=32, layers=1, max_steps=1)
    vision = str(image_folder("vit", tmp_path / "image"))
    config = FeaturesConfig(text_backbone="scratch", image_backbone=vision, image_grid=2, scratch=scratch)
    features = encoded(tmp_path, config)
    texts = [t for t in item_texts(ITEMS) if t is not None]
    vectors = stored_text_source(config, features.text_encoder).pooled(texts)
    np.testing.assert_allclose(features.pooled_text()[[0, 2, 3, 4]], vectors, atol=5e-3)
    # The same catalogue again, as the refit does: nothing is trained, nothing encoded.
    assert encoded(tmp_path, config).text_encoder == features.text_encoder


def test_another_catalogue_trains_another_encoder(tmp_path: Path) -> None:
    scratch = ScratchConfig(width=32, layers=1, max_steps=1)
    vision = str(image_folder("vit", tmp_path / "image"))
    config = FeaturesConfig(text_backbone="scratch", image_backbone=vision, image_grid=2, scratch=scratch)
    assert encoded(tmp_path, config).text_encoder != encoded(tmp_path, config, ITEMS.head(3)).text_encoder


def test_upper_layers_of_a_trained_encoder_can_be_trained_on(tmp_path: Path) -> None:
    scratch = ScratchConfig(width=32, layers=2, max_steps=1)
    vision = str(image_folder("vit", tmp_path / "image"))
    config = FeaturesConfig(text_backbone="scratch", image_backbone=vision, image_grid=2, scratch=scratch)
    encoded(tmp_path, config)
    attributes = AttributeEncoder.fit(ITEMS, price_buckets=2, max_values=100)
    features = encode_catalogue(ITEMS, tmp_path, attributes, config, tmp_path / "cache", trainable_layers=1)
    assert features.trained is not None
    assert len(features.trained.backbone.states) == 1
    assert features.text_encoder is not None
