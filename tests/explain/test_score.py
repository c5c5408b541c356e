from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.explain.small_explained import BARE, BLEND, CELLS, TOKENS, ChanceContent, asked, explained, projections

from trifocal.errors import DataError
from trifocal.explain import Projections, ScoreFunction, Scorer
from trifocal.model.two_stage import Blend, TwoStageRecommender
from trifocal.types import IntArray, Request

GATES = TOKENS + CELLS + 3


def function(
    recommender: TwoStageRecommender, content: ChanceContent, request: Request, rows: IntArray
) -> ScoreFunction:
    return Scorer(recommender, projections(content)).of(request, rows)


@pytest.mark.parametrize("request_", [asked(1, 4, 7), asked(0), asked(), asked(2, 3, query=True)])
@pytest.mark.parametrize("blend", [BLEND, Blend(retrieval=0.5), Blend()])
def test_scores_are_those_that_rank(request_: Request, blend: Blend) -> None:
    recommender, content = explained(blend)
    ranked = recommender.recommend([request_], 8)
    rows = ranked.item_rows[0]
    found = function(recommender, content, request_, rows).scores(content.batch(rows))
    np.testing.assert_allclose(found, ranked.scores[0], rtol=1e-4, atol=1e-4)


def test_without_a_memory_the_deep_score_is_explained() -> None:
    recommender, content = explained(remembers=False)
    ranked = recommender.recommend([asked(1, 2)], 5)
    rows = ranked.item_rows[0]
    found = function(recommender, content, asked(1, 2), rows).scores(content.batch(rows))
    np.testing.assert_allclose(found, ranked.scores[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("known", [True, False])
def test_with_all_gates_open_the_score_is_that_of_the_item(*, known: bool) -> None:
    recommender, content = explained()
    rows = np.array([2, BARE, 5])
    items = content.batch(rows)
    scores = Scorer(recommender, projections(content) if known else Projections()).of(asked(1, 4), rows)
    opened = scores.gated(items)(torch.ones(6, items.text.shape[1] + CELLS + 3))
    np.testing.assert_allclose(opened.numpy(), np.tile(scores.scores(items), 2), rtol=1e-4, atol=1e-5)


def test_with_all_gates_shut_all_items_are_alike() -> None:
    recommender, content = explained()
    rows = np.array([2, 6, 10])  # with as many tokens each, since padding is no content
    shut = function(recommender, content, asked(1, 4), rows).gated(content.batch(rows))(torch.zeros(3, GATES))
    np.testing.assert_allclose(shut.numpy(), np.full(3, shut[0].item()), rtol=1e-5, atol=1e-5)


def test_what_is_missing_has_no_say() -> None:
    recommender, content = explained()
    rows = np.array([BARE, 5])
    items = content.batch(rows)
    gates = torch.full((2, items.text.shape[1] + CELLS + 3), 0.5, requires_grad=True)
    scores = function(recommender, content, asked(1, 4), rows).gated(items)
    (slope,) = torch.autograd.grad(scores(gates).sum(), gates)
    assert not slope[0, : -len("abc")].any()
    assert (slope[1, : items.text_mask[1].sum()] != 0).all()
    assert slope[1, -3:].all()


def test_a_cell_of_nothing_in_particular_changes_the_score() -> None:
    recommender, content = explained()
    rows = np.array([5])
    scores, items = function(recommender, content, asked(1, 4), rows), content.batch(rows)
    image = items.image.clone()
    image[:, 0] = scores.neutral_cell
    assert scores.scores(replace(items, image=image)) != scores.scores(items)
    mask = items.text_mask.clone()
    mask[:, 0] = False
    assert scores.scores(replace(items, text_mask=mask)) != scores.scores(items)


def test_the_model_still_learns_and_the_copy_does_not() -> None:
    recommender, _ = explained()
    scorer = Scorer(recommender)
    assert all(weight.requires_grad for weight in recommender.model.parameters())
    assert not any(weight.requires_grad for weight in scorer.model.parameters())
    own, copied = recommender.model.item_tower.read_out.weight, scorer.model.item_tower.read_out.weight
    assert own.data_ptr() == copied.data_ptr()


def test_a_row_past_the_catalogue_is_refused() -> None:
    with pytest.raises(DataError, match="item row 14 cannot be explained, the model has 14 items"):
        Scorer(explained()[0]).of(asked(), np.array([1, 14]))
