from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from tests.explain.small_explained import BARE, CELLS, explained

from trifocal.explain import attention_weights
from trifocal.explain.gated_tower import GatedTower
from trifocal.explain.gates import Gates

ROWS = np.array([2, BARE, 5])


def gates_of(value: float, tokens: int) -> Gates:
    return Gates.of(torch.full((3, tokens + CELLS + 3), value), tokens)


def test_open_gates_are_the_tower_itself() -> None:
    tower, items = explained()[0].model.item_tower, explained()[1].batch(ROWS)
    with torch.no_grad():
        found = GatedTower(tower, items).vectors(gates_of(1.0, items.text.shape[1]))
        torch.testing.assert_close(found, tower(items))
        # The tower stays as it was.
        assert isinstance(tower.attribute_table, torch.nn.Embedding)


def test_shut_gates_are_the_mean_text_and_picture_without_attributes_and_id() -> None:
    tower, items = explained()[0].model.item_tower, explained()[1].batch(ROWS)
    blank = items.without_attributes().without(ids=torch.ones(3, dtype=torch.bool))
    text, image = tower.text_components.mean, tower.image_components.mean
    blank = replace(blank, text=text.expand_as(items.text), image=image.expand_as(items.image))
    with torch.no_grad():
        found = GatedTower(tower, items).vectors(gates_of(0.0, items.text.shape[1]))
        torch.testing.assert_close(found, tower(blank), rtol=1e-4, atol=1e-5)


def test_attention_is_a_share_and_none_goes_to_what_is_missing() -> None:
    tower, items = explained()[0].model.item_tower, explained()[1].batch(ROWS)
    weights = attention_weights(tower.eval(), items)
    tokens = items.text.shape[1]
    assert weights.shape == (3, tokens + CELLS)
    assert not weights[1].any()
    assert (weights[0, : items.text_mask[0].sum()] > 0).all()
    assert not weights[:, :tokens][~items.text_mask].any()
    assert (weights.sum(dim=1) < 1).all()
