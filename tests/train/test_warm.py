"""Weights follow ids and values, whatever rows they have in the grown catalogue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.features.small_catalogue import small_features, small_items
from tests.model.small_model import SMALL, small_model

from trifocal.features.attributes import AttributeEncoder
from trifocal.features.context import ContextVocabulary
from trifocal.features.items import FeatureState
from trifocal.model import ModelShapes, TrifocalModel, build_model
from trifocal.train.warm import warm_start
from trifocal.types import Vocabulary

OLD_ITEMS = [f"i{n}" for n in range(8)]
# A new item in front, another behind, the old ones in another order.
NEW_ITEMS = ["fresh", *reversed(OLD_ITEMS), "later"]


def grown_state(old: FeatureState) -> FeatureState:
    """A new brand before the others, a new device, and one country more."""
    names, vocabularies = old.attributes.names, list(old.attributes.vocabularies)
    brand = names.index("attribute.brand")
    vocabularies[brand] = Vocabulary.of(["Aaa", *vocabularies[brand].ids])
    attributes = AttributeEncoder(names, tuple(vocabularies), old.attributes.price_edges)
    context = ContextVocabulary.fit(["mobile", "desktop", "app"], ["SE", "DE"])
    return FeatureState(attributes, context, old.text_width, old.image_width)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[TrifocalModel, TrifocalModel, FeatureState, FeatureState]:
    old_model, features = small_model(tmp_path)
    _, old = small_features(tmp_path)
    new = grown_state(old)
    torch.manual_seed(1)
    model = build_model(SMALL, ModelShapes.of(new, len(NEW_ITEMS), features.grid_cells))
    return old_model, model, old, new


def started(pair: tuple[TrifocalModel, TrifocalModel, FeatureState, FeatureState]) -> TrifocalModel:
    old_model, model, old, new = pair
    items = Vocabulary.of(OLD_ITEMS), Vocabulary.of(NEW_ITEMS)
    warm_start(old_model, (old, items[0]), (new, items[1]), since_s=5, replay=0.5, version="v").start(model)
    return model


def test_known_items_keep_their_id_and_new_ones_start_as_untrained(
    pair: tuple[TrifocalModel, TrifocalModel, FeatureState, FeatureState],
) -> None:
    untrained = pair[1].item_tower.id_table.weight.clone()
    before = pair[0].item_tower.id_table.weight
    after = started(pair).item_tower.id_table.weight
    for row, item in enumerate(NEW_ITEMS):
        expected = before[OLD_ITEMS.index(item) + 1] if item in OLD_ITEMS else untrained[row + 1]
        assert torch.equal(after[row + 1], expected)
    assert not after[0].any()


def test_values_keep_their_rows_wherever_they_stand(
    pair: tuple[TrifocalModel, TrifocalModel, FeatureState, FeatureState],
) -> None:
    old_model, _, old, new = pair
    model = started(pair)
    items = small_items()
    towers = [old_model.item_tower, model.item_tower]
    codes = [torch.from_numpy(state.attributes.encode(items)) for state in (old, new)]
    assert not torch.equal(codes[0], codes[1])
    tables = [tower.attribute_table.weight for tower in towers]
    read = [t[c + tower.attribute_offsets] for t, c, tower in zip(tables, codes, towers, strict=True)]
    assert torch.equal(read[0], read[1])
    for value in ("mobile", "desktop"):
        rows = [state.context.device_code(value) for state in (old, new)]
        devices = [m.state_dict()["user_tower.context.device.weight"] for m in (old_model, model)]
        assert torch.equal(devices[0][rows[0]], devices[1][rows[1]])


def test_the_components_of_the_shortcut_stay(
    pair: tuple[TrifocalModel, TrifocalModel, FeatureState, FeatureState],
) -> None:
    pair[0].item_tower.text_components.mean.fill_(3.0)
    assert torch.equal(
        started(pair).item_tower.text_components.mean, torch.full_like(pair[0].item_tower.text_components.mean, 3.0)
    )


def test_a_ranker_with_other_columns_starts_anew(
    pair: tuple[TrifocalModel, TrifocalModel, FeatureState, FeatureState], tmp_path: Path
) -> None:
    old_model, _, old, _ = pair
    fewer = AttributeEncoder(old.attributes.names[1:], old.attributes.vocabularies[1:], old.attributes.price_edges)
    new = FeatureState(fewer, old.context, old.text_width, old.image_width)
    model = build_model(SMALL, ModelShapes.of(new, 8, 4))
    items = Vocabulary.of(OLD_ITEMS)
    warm = warm_start(old_model, (old, items), (new, items), since_s=0, replay=1.0, version="v")
    untrained = model.state_dict()["ranker.hidden.0.weight"].clone()
    warm.start(model)
    assert not warm.ranker
    assert torch.equal(model.state_dict()["ranker.hidden.0.weight"], untrained)


def test_a_smaller_scale_of_prices_shares_the_dearest_bucket(tmp_path: Path) -> None:
    old_model, _ = small_model(tmp_path)
    _, old = small_features(tmp_path)
    edges = np.append(old.attributes.price_edges, [1e6, 1e7]).astype(np.float32)
    attributes = AttributeEncoder(old.attributes.names, old.attributes.vocabularies, edges)
    new = FeatureState(attributes, old.context, old.text_width, old.image_width)
    items = Vocabulary.of(OLD_ITEMS)
    warm = warm_start(old_model, (old, items), (new, items), since_s=0, replay=1.0, version="v")
    size = old.attributes.sizes[-1]
    assert warm.rows["user_tower.context.price.weight"].tolist() == [*range(size), size - 1, size - 1]


def test_another_bundle_moment_or_share_is_another_start(tmp_path: Path) -> None:
    model, _ = small_model(tmp_path)
    _, state = small_features(tmp_path)
    side = (state, Vocabulary.of(OLD_ITEMS))
    starts = [
        warm_start(model, side, side, since_s=since, replay=share, version=version).fingerprint
        for since, share, version in ((0, 1.0, "a"), (1, 1.0, "a"), (0, 0.5, "a"), (0, 1.0, "b"))
    ]
    assert len(set(starts)) == 4
