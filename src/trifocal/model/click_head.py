"""The score of a user and an item -> how likely the user clicks on it when it is shown. nn.Module only."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["ClickHead"]

# Scores are log odds among the whole catalogue; among what is shown they say far less.
_SLOPE = 0.1


class ClickHead(nn.Module):
    """Log odds of a click = slope * score + bias. Stability: internal.

    Source: Platt, Probabilistic outputs for support vector machines (1999), equation 1. With a bias alone the scores of
    a softmax came out so far off that the loss was worse than that of the share of clicks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(_SLOPE))
        self.bias = nn.Parameter(torch.zeros(()))

    def start(self, clicked: float, shown: float) -> None:
        """Set the bias to the log odds of a click, so that learning starts from what the log says.

        Args:
            clicked: number of items that were clicked.
            shown: number of items that were shown.
        """
        with torch.no_grad():
            self.bias.fill_(math.log((clicked + 1) / (shown - clicked + 1)))

    def forward(self, scores: Tensor) -> Tensor:
        """Return the log odds, of the shape of `scores`: inner products times the model's scale."""
        odds: Tensor = self.slope * scores + self.bias
        return odds
