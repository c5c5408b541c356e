"""Letters as in `trifocal.batch`: B = 2 users, L = 3 events, M = 4 items, T = 2 tokens, G = 1 cell."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from trifocal.batch import CONTEXT_FIELDS, Batch, ItemBatch, UserBatch

F = len(CONTEXT_FIELDS)


def items() -> ItemBatch:
    return ItemBatch(
        text=torch.arange(24, dtype=torch.float16).reshape(4, 2, 3),
        text_mask=torch.tensor([[True, True], [True, False], [True, True], [False, False]]),
        image=torch.arange(20, dtype=torch.float32).reshape(4, 1, 5),
        image_mask=torch.tensor([True, True, False, True]),
        attributes=torch.tensor([[1, 2], [3, 4], [5, 6], [7, 8]]),
        id_codes=torch.tensor([1, 2, 3, 4]),
    )


def users() -> UserBatch:
    return UserBatch(
        item_rows=torch.tensor([[0, 1, 2], [3, 0, 0]]),
        mask=torch.tensor([[True, True, True], [True, False, False]]),
        event_codes=torch.tensor([[2, 2, 4], [2, 0, 0]]),
        context=torch.zeros(2, 4, F, dtype=torch.int64),
        query_rows=torch.zeros(2, 4, dtype=torch.int64),
        query_vectors=torch.zeros(1, 3),
    )


def batch() -> Batch:
    return Batch(
        users=users(),
        targets=torch.tensor([[0, 1, 2, 3], [3, 1, -1, -1]]),
        weights=torch.ones(2, 4),
        items=items(),
        item_rows=torch.tensor([0, 1, 2, 3]),
    )


def test_a_batch_that_fits_is_valid() -> None:
    batch().validate()


@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [
        ("text", torch.zeros(4, 2), r"text has shape \(4, 2\), needs \(M, T, width\)"),
        ("image", torch.zeros(4, 5), r"image has shape \(4, 5\), needs \(M, G, width\)"),
        ("image", torch.zeros(3, 1, 5), r"image has 3 items, text has 4"),
        ("text_mask", torch.ones(4, 3, dtype=torch.bool), r"text_mask has shape \(4, 3\), needs \(4, 2\)"),
        ("text_mask", torch.ones(4, 2), r"text_mask is not bool"),
        ("image_mask", torch.ones(4, 1, dtype=torch.bool), r"image_mask has shape \(4, 1\), needs \(4,\)"),
        ("image_mask", torch.ones(4), r"image_mask is not bool"),
        ("attributes", torch.zeros(5, 2, dtype=torch.int64), r"attributes has 5 items, needs 4"),
        ("attributes", torch.zeros(4, 2), r"attributes is not int64"),
        ("id_codes", torch.zeros(3, dtype=torch.int64), r"id_codes has shape \(3,\), needs \(4,\)"),
        ("id_codes", torch.zeros(4, dtype=torch.int32), r"id_codes is not int64"),
        ("text_mean", torch.zeros(4, 2), r"text_mean has shape \(4, 2\), needs \(4, 3\)"),
        ("token_ids", torch.zeros(4, 5, dtype=torch.int64), r"token_ids has shape \(4, 5\), needs \(4, 2\)"),
    ],
)
def test_a_broken_field_of_items_is_named(name: str, broken: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(items(), **{name: broken}).validate()


@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [
        ("mask", torch.ones(2, 4, dtype=torch.bool), r"mask has shape \(2, 4\), needs \(2, 3\)"),
        ("mask", torch.ones(2, 3), r"mask is not bool"),
        ("mask", torch.tensor([[True, True, True], [False, True, False]]), r"mask is not left-aligned"),
        ("item_rows", torch.zeros(2, 3), r"item_rows is not int64"),
        ("event_codes", torch.zeros(2, 2, dtype=torch.int64), r"event_codes has shape \(2, 2\), needs \(2, 3\)"),
        ("event_codes", torch.zeros(2, 3), r"event_codes is not int64"),
        ("context", torch.zeros(2, 3, F, dtype=torch.int64), rf"context has shape \(2, 3, {F}\), needs \(2, 4, {F}\)"),
        ("context", torch.zeros(2, 4, F), r"context is not int64"),
        ("query_rows", torch.zeros(2, 3, dtype=torch.int64), r"query_rows has shape \(2, 3\), needs \(2, 4\)"),
        ("query_rows", torch.zeros(2, 4), r"query_rows is not int64"),
    ],
)
def test_a_broken_field_of_users_is_named(name: str, broken: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(users(), **{name: broken}).validate()


@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [
        ("targets", torch.zeros(2, 3, dtype=torch.int64), r"targets has shape \(2, 3\), needs \(2, 4\)"),
        ("weights", torch.ones(2, 5), r"weights has shape \(2, 5\), needs \(2, 4\)"),
        ("item_rows", torch.tensor([0, 1, 2]), r"3 item_rows for 4 items"),
        ("item_rows", torch.tensor([0, 1, 2, 2]), r"item_rows holds a row twice"),
        ("users", replace(users(), mask=torch.ones(2, 3)), r"mask is not bool"),
        ("items", replace(items(), image_mask=torch.ones(4)), r"image_mask is not bool"),
    ],
)
def test_halves_that_do_not_fit_together_are_named(name: str, broken: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(batch(), **{name: broken}).validate()  # type: ignore[arg-type]  # broken on purpose


def test_without_hides_what_is_marked_and_nothing_else() -> None:
    marked = torch.tensor([True, False, False, True])
    hidden = items().without(text=marked)
    assert hidden.text_mask.tolist() == [[False, False], [True, False], [True, True], [False, False]]
    assert hidden.image_mask.tolist() == items().image_mask.tolist()
    assert hidden.id_codes.tolist() == [1, 2, 3, 4]
    assert items().without(image=marked).image_mask.tolist() == [False, True, False, False]
    assert items().without(ids=marked).id_codes.tolist() == [0, 2, 3, 0]
    hidden.validate()


def test_without_leaves_the_given_batch_as_it_was() -> None:
    whole, marked = items(), torch.ones(4, dtype=torch.bool)
    whole.without(text=marked, image=marked, ids=marked)
    assert whole.text_mask.tolist() == items().text_mask.tolist()
    assert whole.image_mask.tolist() == items().image_mask.tolist()
    assert whole.id_codes.tolist() == items().id_codes.tolist()


def test_without_attributes_codes_every_one_as_missing() -> None:
    bare = items().without_attributes()
    assert bare.attributes.tolist() == [[0, 0]] * 4
    bare.validate()


def test_text_only_has_no_picture() -> None:
    reading = items().text_only()
    assert reading.image_mask.tolist() == [False] * 4
    assert reading.text_mask.tolist() == items().text_mask.tolist()
    reading.validate()


def test_image_only_has_one_empty_place_of_text() -> None:
    looking = items().image_only()
    assert looking.text.shape == (4, 1, 3)
    assert looking.text_mask.tolist() == [[False]] * 4
    assert looking.image_mask.tolist() == items().image_mask.tolist()
    looking.validate()


def test_select_takes_every_field_of_the_rows_in_their_order() -> None:
    chosen = items().select(torch.tensor([2, 0]))
    assert len(chosen) == 2
    assert chosen.text[:, 0, 0].tolist() == [12, 0]
    assert chosen.text_mask.tolist() == [[True, True], [True, True]]
    assert chosen.image[:, 0, 0].tolist() == [10, 0]
    assert chosen.image_mask.tolist() == [False, True]
    assert chosen.attributes.tolist() == [[5, 6], [1, 2]]
    assert chosen.id_codes.tolist() == [3, 1]


def test_on_its_device_features_are_float32_and_codes_stay_whole_numbers() -> None:
    moved = batch().to(torch.device("cpu"))
    assert moved.items.text.dtype == torch.float32
    assert moved.items.id_codes.dtype == torch.int64
    assert moved.items.text_mask.dtype == torch.bool
    assert len(moved.users) == 2
    moved.validate()


def test_what_trained_text_layers_need_goes_along() -> None:
    ids = torch.arange(8).reshape(4, 2)
    whole = replace(items(), text_mean=torch.arange(12).reshape(4, 3).half(), token_ids=ids)
    moved = whole.select(torch.tensor([3, 0])).to(torch.device("cpu"))
    assert moved.text_mean is not None
    assert moved.token_ids is not None
    assert moved.text_mean.dtype == torch.float32
    assert moved.token_ids.tolist() == [[6, 7], [0, 1]]
    looking = whole.image_only()
    looking.validate()
    assert looking.token_ids is not None
    assert looking.token_ids.tolist() == [[0], [2], [4], [6]]
