from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.model.small_model import SMALL, small_model
from tests.model.small_text import small_text_model

from trifocal.batch import ItemBatch
from trifocal.features.items import CatalogueFeatures
from trifocal.model.item_tower import PrincipalComponents
from trifocal.train.table import pooled_table


def everything(features: CatalogueFeatures) -> ItemBatch:
    return features.batch(range(len(features))).to(torch.device("cpu"))


def test_every_modality_bears_on_the_vector(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    batch = everything(features)
    whole = model.item_tower(batch)
    assert whole.shape == (8, 16)
    first = torch.arange(8) == 0
    for without in (batch.without(text=first), batch.without(image=first), batch.without(ids=first)):
        changed = (model.item_tower(without) - whole).abs().amax(dim=1) > 1e-5
        assert changed.tolist() == first.tolist()
    assert not torch.allclose(model.item_tower(batch.without_attributes())[0], whole[0])


def test_what_a_missing_modality_holds_does_not_matter(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    batch = everything(features).without(text=torch.ones(8, dtype=torch.bool), image=torch.ones(8, dtype=torch.bool))
    noisy = replace(batch, text=torch.randn_like(batch.text), image=torch.randn_like(batch.image))
    torch.testing.assert_close(model.item_tower(noisy), model.item_tower(batch))


def test_cutting_a_missing_text_changes_nothing(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    batch = everything(features)
    blind = batch.without(text=torch.ones(8, dtype=torch.bool))
    torch.testing.assert_close(model.item_tower(batch.image_only()), model.item_tower(blind))


def test_padding_changes_nothing(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    batch = everything(features)
    longer = replace(
        batch,
        text=torch.cat([batch.text, torch.randn(8, 3, 6)], dim=1),
        text_mask=torch.cat([batch.text_mask, torch.zeros(8, 3, dtype=torch.bool)], dim=1),
    )
    torch.testing.assert_close(model.item_tower(longer), model.item_tower(batch))


@pytest.mark.parametrize(("modality", "taken"), [("text", "image"), ("image", "text")])
def test_a_modality_that_is_switched_off_counts_as_missing(tmp_path: Path, modality: str, taken: str) -> None:
    model, features = small_model(tmp_path, (modality, "ids"))  # type: ignore[arg-type]  # both are modalities
    batch = everything(features)
    blind = batch.without(**{taken: torch.ones(8, dtype=torch.bool)})
    torch.testing.assert_close(model.item_tower(batch), model.item_tower(blind))


def test_code_0_adds_no_id(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    batch = everything(features)
    stranger = batch.without(ids=torch.ones(8, dtype=torch.bool))
    tower = model.item_tower
    known = tower.vectors(
        tower.content(batch), tower.pooled(batch), batch.attributes, torch.zeros(8, dtype=torch.int64)
    )
    torch.testing.assert_close(tower(stranger), known)


def test_the_look_gate_starts_closed(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    batch = everything(features)
    closed = model.item_tower.content(batch)
    with torch.no_grad():
        model.item_tower.look.out_proj.weight.mul_(5)
        torch.testing.assert_close(model.item_tower.content(batch), closed)
        model.item_tower.look_gate.fill_(1.0)
    assert not torch.allclose(model.item_tower.content(batch), closed)


def test_pooled_features_are_white_over_the_catalogue_and_zero_where_missing() -> None:
    torch.manual_seed(0)
    components = PrincipalComponents(10, 4)
    features = torch.randn(500, 10) * torch.arange(1, 11)
    features[3] = 0
    components.fit(features)
    found = components(features[torch.arange(500) != 3])
    torch.testing.assert_close(found.T @ found / 498, torch.eye(4), atol=1e-3, rtol=1e-3)


def test_an_item_encoded_alone_equals_its_row_in_the_table(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    pooled_table(model, features, torch.device("cpu"))
    whole = model.item_tower(everything(features))
    alone = model.item_tower(features.batch([5]).to(torch.device("cpu")))
    torch.testing.assert_close(alone[0], whole[5], atol=1e-5, rtol=1e-5)
    assert float(model.item_tower.pooled(everything(features))[1, : SMALL.pooled_size].abs().sum()) == 0


def test_trained_text_layers_stand_between_the_cached_tokens_and_the_rest(tmp_path: Path) -> None:
    model, features = small_text_model(tmp_path)
    batch = everything(features)
    layers = model.item_tower.text_layers
    assert layers is not None
    found = model.item_tower.content(batch)
    model.item_tower.text_layers = None
    read = replace(batch, text=layers(batch.text, batch.text_mask))
    torch.testing.assert_close(model.item_tower.content(read), found)
    assert not torch.allclose(model.item_tower.content(batch), found)


def test_the_losses_reach_the_trained_text_layers_also_where_every_text_is_missing(tmp_path: Path) -> None:
    model, features = small_text_model(tmp_path)
    batch = everything(features)
    (model.item_tower.content(batch).sum() + model.item_tower.content(batch.image_only()).sum()).backward()  # type: ignore[no-untyped-call]  # torch's stub
    for name, parameter in model.item_tower.named_parameters():
        if name.startswith("text_layers."):
            assert parameter.grad is not None
            assert torch.isfinite(parameter.grad).all()


def test_the_shortcut_reads_the_last_layer_as_it_was_pre_trained(tmp_path: Path) -> None:
    model, features = small_text_model(tmp_path)
    pooled_table(model, features, torch.device("cpu"))
    means = torch.from_numpy(features.pooled_text())
    tower, batch = model.item_tower, everything(features)
    torch.testing.assert_close(tower.pooled(batch)[[0, 3], :4], tower.text_components(means)[[0, 3]])
    assert float(tower.pooled(batch)[1, :4].abs().sum()) == 0
    moved = replace(batch, text=torch.randn_like(batch.text))
    torch.testing.assert_close(tower.pooled(moved), tower.pooled(batch))
