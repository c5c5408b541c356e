from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from trifocal.model.losses import bpr_loss, contrastive_loss, sampled_softmax_loss


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
def test_an_even_correction_changes_nothing(values: list[float], share: float) -> None:
    scores, target = torch.tensor([values]), torch.tensor([0])
    even = torch.full((len(values),), math.log(share))
    corrected = sampled_softmax_loss(scores, target, torch.ones(1), log_q=even)
    torch.testing.assert_close(corrected, sampled_softmax_loss(scores, target, torch.ones(1)), atol=1e-4, rtol=1e-4)


def test_sampling_in_proportion_to_q_is_undone_by_the_correction() -> None:
    """With the whole catalogue drawn many times, the corrected loss is that of the full softmax."""
    scores = torch.tensor([0.3, -0.2, 0.9, 0.1])
    draws = torch.tensor([0, 1, 1, 1, 2, 2, 3, 3, 3, 3])
    counts = torch.bincount(draws).float()
    corrected = (scores - counts.log())[draws]
    assert math.isclose(float(corrected.exp().sum()), float(scores.exp().sum()), rel_tol=1e-6)


def test_bpr_falls_with_the_gap() -> None:
    gaps = torch.tensor([-1.0, 0.0, 1.0])
    losses = [float(bpr_loss(gap[None], torch.zeros(1), torch.ones(1))) for gap in gaps]
    assert losses == sorted(losses, reverse=True)
    assert math.isclose(losses[2], math.log(1 + math.exp(-1)), rel_tol=1e-6)


def test_contrastive_prefers_the_own_picture() -> None:
    text = torch.eye(3)
    right, wrong = (float(contrastive_loss(text, image, torch.tensor(0.1))) for image in (text, text.roll(1, 0)))
    assert right < 0.01 < wrong
