from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tests.features.small_catalogue import WIDTH, small_features
from tests.model.small_model import SMALL, small_model

from trifocal.batch import UserBatch
from trifocal.features.sequences import user_batch
from trifocal.model import ModelShapes, build_model
from trifocal.types import Context, History, Request


def users(*rows: list[int], context: Context | None = None) -> UserBatch:
    return user_batch([Request(History.of_rows(r), context or Context()) for r in rows], 5, WIDTH)


def test_no_position_sees_a_later_event(tmp_path: Path) -> None:
    model, _ = small_model(tmp_path)
    table = torch.randn(8, 16)
    one, other = (model.user_tower(users(r), table) for r in ([1, 2, 3], [1, 2, 7]))
    torch.testing.assert_close(one[:, :3], other[:, :3])
    assert not torch.allclose(one[:, 3], other[:, 3])


def test_padding_changes_no_user(tmp_path: Path) -> None:
    model, _ = small_model(tmp_path)
    table = torch.randn(8, 16)
    alone = model.user_tower.last(users([4]), table)
    beside = model.user_tower.last(users([4], [1, 2, 3, 5]), table)
    torch.testing.assert_close(alone[0], beside[0])


def test_a_stranger_has_a_vector_that_follows_the_context(tmp_path: Path) -> None:
    model, _ = small_model(tmp_path)
    table = torch.randn(8, 16)
    nobody = model.user_tower.last(users([]), table)
    mobile = model.user_tower.last(users([], context=Context(device_code=2)), table)
    assert nobody.shape == (1, 16)
    assert not torch.allclose(nobody, mobile)


def test_a_query_counts_once_its_gate_is_open(tmp_path: Path) -> None:
    model, _ = small_model(tmp_path)
    table = torch.randn(8, 16)
    plain, asked = (users([1], context=Context(query_vector=v)) for v in (None, np.arange(6, dtype=np.float32)))
    torch.testing.assert_close(model.user_tower.last(asked, table), model.user_tower.last(plain, table))
    with torch.no_grad():
        model.user_tower.query_gate.fill_(1.0)
    assert not torch.allclose(model.user_tower.last(asked, table), model.user_tower.last(plain, table))


def test_event_type_and_order_matter(tmp_path: Path) -> None:
    model, _ = small_model(tmp_path)
    table = torch.randn(8, 16)
    batch = users([1, 2])
    bought = replace(batch, event_codes=torch.full_like(batch.event_codes, 4))
    first = model.user_tower.last(batch, table)
    assert not torch.allclose(model.user_tower.last(bought, table), first)
    assert not torch.allclose(model.user_tower.last(users([2, 1]), table), first)


def test_the_price_of_what_was_taken_counts_and_an_item_that_came_later_has_none(tmp_path: Path) -> None:
    model, _ = small_model(tmp_path)
    tower, table = model.user_tower, torch.randn(9, 16)
    unknown = tower.last(users([1, 8]), table)
    tower.set_prices(torch.tensor([0, 2, 0, 0, 0, 0, 0, 0]))
    priced = tower.last(users([1, 8]), table)
    assert not torch.allclose(priced, unknown)
    tower.set_prices(torch.tensor([0, 2, 0, 0, 0, 0, 0, 0, 1]))
    assert not torch.allclose(tower.last(users([1, 8]), table), priced)


def test_only_the_fields_that_were_chosen_are_read(tmp_path: Path) -> None:
    features, state = small_features(tmp_path)
    shapes = ModelShapes.of(state, len(features), features.grid_cells)
    model = build_model(SMALL.model_copy(update={"context": ("gap", "hour")}), shapes).eval()
    torch.nn.init.normal_(model.user_tower.out.weight, std=0.2)
    assert set(model.user_tower.context) == {"gap", "hour"}
    table = torch.randn(8, 16)
    plain, mobile, late = (
        model.user_tower.last(users([1], context=context), table)
        for context in (Context(), Context(device_code=2), Context(timestamp_s=10**9))
    )
    torch.testing.assert_close(plain, mobile)
    assert not torch.allclose(plain, late)
