from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.features.small_catalogue import small_features, small_items
from tests.model.small_text import SHAPE, small_trained_features

from trifocal import columns as c
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.compact import compact_vectors, fit_compact
from trifocal.features.context import ContextVocabulary, gap_codes, weekday_codes
from trifocal.features.items import FeatureState, item_texts


def test_a_batch_holds_what_is_there_and_says_what_is_missing(tmp_path: Path) -> None:
    features, _ = small_features(tmp_path)
    batch = features.batch([0, 1, 2])
    batch.validate()
    assert batch.text_mask.tolist() == [[True] * 3, [False] * 3, [True] * 3]
    assert batch.image_mask.tolist() == [True, True, False]
    assert batch.id_codes.tolist() == [1, 2, 3]
    assert float(batch.image[2].abs().sum()) == 0


def test_where_text_layers_are_trained_a_batch_holds_the_last_layer_and_the_token_ids_too(tmp_path: Path) -> None:
    features, _ = small_trained_features(tmp_path)
    batch = features.batch([0, 1, 2])
    batch.validate()
    assert batch.text_mean is not None
    assert batch.token_ids is not None
    # "blue thing 0": words of 4, 5 and 1 letters; item 1 has no text.
    assert batch.token_ids.tolist() == [[5, 6, 2], [0, 0, 0], [5, 6, 2]]
    np.testing.assert_allclose(batch.text_mean.numpy(), features.pooled_text()[:3])
    assert float(batch.text_mean[1].abs().sum()) == 0


def test_texts_need_words_of_their_own() -> None:
    items = pl.DataFrame(
        {
            c.TITLE: ["Hat", None, None],
            c.CATEGORY: ["Fashion > Hats", "Fashion > Hats", "Fashion > Hats"],
            c.DESCRIPTION: ["Warm.", None, "Only this"],
        }
    )
    assert item_texts(items) == ["Hat. Fashion, Hats. Warm.", None, "Fashion, Hats. Only this"]


def test_attribute_codes_by_hand() -> None:
    encoder = AttributeEncoder.fit(small_items(8), price_buckets=2, max_values=100)
    codes = encoder.encode(small_items(8))
    assert encoder.names == ("category.0", "category.1", "attribute.brand", "price")
    # Sorted values: Fashion 1, Home 2; Anka 1, Birk 2. Prices 10 20 30 50 60 70 80: the median 50 opens bucket 2.
    assert codes[:4].tolist() == [[1, 1, 2, 1], [2, 2, 1, 1], [2, 2, 2, 1], [1, 1, 1, 0]]
    assert codes[4].tolist() == [2, 2, 2, 2]
    assert encoder.sizes == (3, 3, 3, 3)


def test_unseen_values_and_missing_columns_are_code_0() -> None:
    encoder = AttributeEncoder.fit(small_items(8), price_buckets=2, max_values=100)
    strange = small_items(4).with_columns(pl.lit("Cosmos > Comet").alias(c.CATEGORY)).drop("attribute.brand")
    assert encoder.encode(strange)[:, :3].max() == 0


def test_an_attribute_with_too_many_values_is_left_out() -> None:
    assert "attribute.brand" not in AttributeEncoder.fit(small_items(8), price_buckets=2, max_values=1).names


def test_the_state_survives_json(tmp_path: Path) -> None:
    features, state = small_features(tmp_path)
    again = FeatureState.from_json(state.to_json())
    assert again.context == state.context
    np.testing.assert_array_equal(again.attributes.encode(small_items()), features.attributes)


def test_the_shape_of_trained_text_layers_survives_json(tmp_path: Path) -> None:
    assert FeatureState.from_json(small_trained_features(tmp_path)[1].to_json()).text_layer == SHAPE


def test_context_codes_by_hand() -> None:
    vocabulary = ContextVocabulary.fit(["mobile", None, "desktop"], ["SE", "SE"])
    assert [vocabulary.device_code(d) for d in ("desktop", "mobile", "fridge", None)] == [1, 2, 0, 0]
    assert vocabulary.country_code("SE") == 1
    # 2026-11-22 is a Sunday.
    assert weekday_codes(np.array([0, 1_795_305_600])).tolist() == [0, 7]
    known = np.array([True, True, True, False])
    assert gap_codes(np.array([0, 5, 86_400, 5]), known).tolist() == [1, 2, 8, 0]


def test_compact_vectors_keep_the_cosines() -> None:
    generator = np.random.default_rng(0)
    features = (generator.normal(size=(40, 4)) @ generator.normal(size=(4, 30))).astype(np.float32)
    features[7] = 0
    compact = compact_vectors(features, 8)
    assert compact.shape == (40, 8)
    assert np.abs(compact[7]).max() == 0
    present = np.delete(np.arange(40), 7)
    centred = features[present] - features[present].mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(compact[present] @ compact[present].T, unit @ unit.T, atol=1e-3)


@pytest.mark.parametrize("size", [2, 20])
def test_compact_vectors_of_nothing_are_zero(size: int) -> None:
    assert np.abs(compact_vectors(np.zeros((3, 5), np.float32), size)).max() == 0


def test_what_comes_later_is_compacted_as_the_catalogue_was() -> None:
    features = np.random.default_rng(2).standard_normal((30, 12)).astype(np.float32)
    features[4] = 0
    fitted = fit_compact(features, 5)
    one_by_one = np.concatenate([fitted.vectors(row[None]) for row in features])
    np.testing.assert_allclose(one_by_one, compact_vectors(features, 5), atol=1e-6)
    assert not one_by_one[4].any()
