from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from trifocal.model.losses import (
    bpr_loss,
    click_loss,
    contrastive_loss,
    listwise_loss,
    rating_loss,
    sampled_softmax_loss,
)


def test_an_accidental_hit_is_no_negative() -> None:
    scores = torch.tensor([[1.0, 9.0, 1.0]])
    hits = torch.tensor([[True, True, False]])
    # Without column 1 two equal scores are left; the hit mark on the target itself is ignored.
    loss = sampled_softmax_loss(scores, torch.tensor([0]), torch.ones(1), hits=hits)
    assert math.isclose(float(loss), math.log(2), rel_tol=1e-6)


def test_weights_are_shares() -> None:
    scores = torch.tensor([[0.0, 0.0], [5.0, 0.0]])
    both = sampled_softmax_loss(scores, torch.tensor([0, 0]), torch.tensor([1.0, 0.0]))
    assert math.isclose(float(both), math.log(2), rel_tol=1e-6)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6), st.floats(0.05, 1.0))
def test_one_of_so_many_stands_for_all_of_them(values: list[float], share: float) -> None:
    """Each negative counts 1 / q times; the target, which is always there, once."""
    scores, target = torch.tensor([values]), torch.tensor([0])
    log_q = torch.full((len(values),), math.log(share))
    negatives = sum(math.exp(value) for value in values[1:]) / share
    expected = math.log(1 + negatives / math.exp(values[0]))
    found = float(sampled_softmax_loss(scores, target, torch.ones(1), log_q=log_q))
    assert math.isclose(found, expected, rel_tol=1e-4, abs_tol=1e-5)


def test_a_candidate_of_infinite_log_q_is_nobody_elses_negative_and_has_no_gradient() -> None:
    scores = torch.tensor([[1.0, 1.0, 7.0], [1.0, 1.0, 1.0]], requires_grad=True)
    log_q = torch.tensor([0.0, 0.0, torch.inf])
    loss = sampled_softmax_loss(scores, torch.tensor([0, 2]), torch.ones(2), log_q=log_q)
    assert math.isclose(float(loss.detach()), (math.log(2) + math.log(3)) / 2, rel_tol=1e-6)
    (gradient,) = torch.autograd.grad(loss, scores)
    torch.testing.assert_close(gradient, torch.tensor([[-0.25, 0.25, 0.0], [1 / 6, 1 / 6, -1 / 3]]))


def test_a_click_is_as_likely_as_its_log_odds() -> None:
    shown, clicked = torch.zeros(4), torch.tensor([1.0, 0.0, 0.0, 0.0])
    bias = torch.tensor(0.0, requires_grad=True)
    (gradient,) = torch.autograd.grad(click_loss(shown + bias, clicked, torch.ones(4)), bias)
    assert math.isclose(float(gradient), 0.5 - 0.25, rel_tol=1e-6)
    least = torch.tensor(math.log(1 / 3), requires_grad=True)
    (gradient,) = torch.autograd.grad(click_loss(shown + least, clicked, torch.ones(4)), least)
    assert math.isclose(float(gradient), 0, abs_tol=1e-7)


def test_nothing_judged_costs_nothing() -> None:
    none = torch.zeros(0)
    assert float(click_loss(none, none, none)) == float(rating_loss(none, none, none)) == 0


def test_bpr_falls_with_the_gap() -> None:
    gaps = torch.tensor([-1.0, 0.0, 1.0])
    losses = [float(bpr_loss(gap[None], torch.zeros(1), torch.ones(1))) for gap in gaps]
    assert losses == sorted(losses, reverse=True)
    assert math.isclose(losses[2], math.log(1 + math.exp(-1)), rel_tol=1e-6)


def test_contrastive_prefers_the_own_picture() -> None:
    text = torch.eye(3)
    right, wrong = (float(contrastive_loss(text, image, torch.tensor(0.1))) for image in (text, text.roll(1, 0)))
    assert right < 0.01 < wrong


def test_a_list_s_loss_is_the_mean_over_what_was_taken() -> None:
    scores = torch.tensor([[math.log(2), 0.0, 0.0]])
    # Shares of a half and two quarters.
    for taken, expected in (([1.0, 0.0, 0.0], math.log(2)), ([1.0, 1.0, 0.0], (math.log(2) + math.log(4)) / 2)):
        assert math.isclose(float(listwise_loss(scores, torch.tensor([taken]))), expected, rel_tol=1e-6)


def test_every_list_weighs_the_same_however_much_was_taken() -> None:
    scores = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    taken = torch.tensor([[1.0, 1, 1, 0, 0], [0, 0, 0, 0, 1]])
    alone = [float(listwise_loss(scores[row : row + 1], taken[row : row + 1])) for row in range(2)]
    assert math.isclose(float(listwise_loss(scores, taken)), sum(alone) / 2, rel_tol=1e-6)
    # One of a list: the cross-entropy of a class.
    entropy = torch.nn.functional.cross_entropy(scores[1:], torch.tensor([4]))
    assert math.isclose(alone[1], float(entropy), rel_tol=1e-6)
    assert math.isclose(float(listwise_loss(scores + 100, taken)), sum(alone) / 2, rel_tol=1e-4)
