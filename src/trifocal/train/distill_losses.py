"""What a student learns from its teacher, pure functions. Letters: P predictions, C candidates, M items, D size."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["ranking_divergence", "unexplained_share"]


def unexplained_share(vectors: Tensor, taught: Tensor, spread: Tensor) -> Tensor:
    """Return the mean squared distance of `vectors` from `taught`, as a share of how far those lie from their mean.

    `1/M sum_i |v_i - t_i|^2 / spread`, 1 - R^2 of a regression: 0 = the teacher's vectors, 1 = as good as their mean.
    Regression on a teacher's outputs: Ba & Caruana, Do deep nets really need to be deep? (NeurIPS 2014), equation 1.

    Args:
        vectors: (M, D) of the student.
        taught: (M, D) of the teacher.
        spread: scalar, mean squared distance of all the teacher's vectors from their mean.

    >>> student, teacher = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    >>> float(unexplained_share(student, teacher, torch.tensor(4.0)))  # (4 + 0) / 2 / 4
    0.5
    """
    return (vectors - taught).square().sum(dim=1).mean() / spread


def ranking_divergence(scores: Tensor, taught: Tensor, weights: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return the weighted mean of `T^2 KL(softmax(taught / T) || softmax(scores / T))`.

    Hinton, Vinyals & Dean, Distilling the knowledge in a neural network (arXiv 1503.02531), section 2; of rankings:
    Tang & Wang, Ranking distillation (KDD 2018). `T^2` keeps the gradient's size whatever the temperature.

    Args:
        scores: (P, C) of the student; -inf = no candidate of this position.
        taught: (P, C) of the teacher, -inf in the same places; at least one a row is finite.
        weights: (P,) float.
        temperature: T, above 0.

    >>> teacher, student = torch.log(torch.tensor([[0.75, 0.25]])), torch.zeros(1, 2)
    >>> divergence = ranking_divergence(student, teacher, torch.ones(1))
    >>> round(float(divergence), 4)  # .75 log(.75 / .5) + .25 log(.25 / .5) = .3041 - .1733
    0.1308
    """
    student = functional.log_softmax(scores / temperature, dim=1)
    teacher = functional.log_softmax(taught / temperature, dim=1)
    shares = teacher.exp()
    # Where both are -inf the difference is no number, and its share is 0.
    gaps = torch.where(shares > 0, teacher - student, 0.0)
    divergences = temperature**2 * (shares * gaps).sum(dim=1)
    return (divergences * weights).sum() / weights.sum().clamp(min=1e-6)
