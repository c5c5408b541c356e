from __future__ import annotations

import math

import pytest
import torch

from trifocal.train.distill_losses import ranking_divergence, unexplained_share


def test_who_says_the_same_as_the_teacher_has_no_loss() -> None:
    scores = torch.tensor([[1.0, 2.0, -torch.inf]])
    assert float(ranking_divergence(scores, scores + 5, torch.ones(1))) == pytest.approx(0, abs=1e-6)
    vectors = torch.randn(3, 2)
    assert float(unexplained_share(vectors, vectors, torch.tensor(1.0))) == 0


def test_who_says_the_teachers_mean_leaves_all_unexplained() -> None:
    taught = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    spread = (taught - taught.mean(dim=0)).square().sum(dim=1).mean()
    assert float(unexplained_share(taught.mean(dim=0).expand(2, 2), taught, spread)) == pytest.approx(1)


def test_the_temperature_flattens_both_and_keeps_the_size() -> None:
    teacher, student = torch.tensor([[2 * math.log(3), 0.0]]), torch.zeros(1, 2)
    # At T = 2 the teacher says 3/4 and 1/4: 4 * (.75 log 1.5 + .25 log .5).
    divergence = ranking_divergence(student, teacher, torch.ones(1), temperature=2.0)
    assert float(divergence) == pytest.approx(4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5)), rel=1e-5)


def test_positions_count_by_their_weight() -> None:
    teacher, student = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]]), torch.zeros(2, 2, requires_grad=True)
    alone = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    found = ranking_divergence(student, teacher, torch.tensor([1.0, 3.0]))
    assert float(found.detach()) == pytest.approx(alone / 4, rel=1e-5)
    found.backward()  # type: ignore[no-untyped-call]  # torch's stub
    assert student.grad is not None
    assert bool(torch.isfinite(student.grad).all())


def test_what_is_no_candidate_gives_no_gradient() -> None:
    student = torch.tensor([[0.5, 0.0, 1.0]], requires_grad=True)
    hits = torch.tensor([[False, False, True]])
    teacher = torch.tensor([[1.0, 0.0, 3.0]]).masked_fill(hits, -torch.inf)
    ranking_divergence(student.masked_fill(hits, -torch.inf), teacher, torch.ones(1)).backward()  # type: ignore[no-untyped-call]  # torch's stub
    assert student.grad is not None
    assert student.grad[0, 2] == 0
    assert student.grad[0, 0] != 0
