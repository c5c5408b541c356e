"""The score of a user and an item -> the rating that the user would give. nn.Module only."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["RatingHead"]

# Scores differ by several units between items, ratings of one user by about one.
_SLOPE = 0.1


class RatingHead(nn.Module):
    """Rating = mean of the log + bias of the item + slope * score + intercept. Stability: internal.

    Source: the baseline predictor of Koren, Bell and Volinsky (Computer 42, 2009), equations 3 and 4, without the
    user's bias, since no user has parameters here: what a user is like is in the score.

    Args:
        n_items: rows of the bias table; an item that is not in it has bias 0.
    """

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(()))
        self.bias = nn.Embedding(n_items + 1, 1, padding_idx=0)
        nn.init.zeros_(self.bias.weight)
        self.slope = nn.Parameter(torch.tensor(_SLOPE))
        self.intercept = nn.Parameter(torch.zeros(()))

    def start(self, mean: float) -> None:
        """Set the mean rating of the log, from which the head starts."""
        self.mean.fill_(mean)

    def forward(self, scores: Tensor, id_codes: Tensor) -> Tensor:
        """Return the expected ratings, of the shape of `scores`, in the log's own unit.

        Args:
            scores: inner products times the model's scale, any shape.
            id_codes: of the same shape, row + 1; 0 = an item without a bias.
        """
        ratings: Tensor = self.mean + self.bias(id_codes).squeeze(-1) + self.slope * scores + self.intercept
        return ratings
