"""The second stage: a small network that reorders a few hundred candidates by their evidence. nn.Module only.

Letters: B requests, K candidates, F columns of evidence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Ranker"]

# Standardised evidence beyond this many deviations is cut off.
_LIMIT = 6.0


class Ranker(nn.Module):
    """Standardised evidence -> score, a linear part and two hidden layers. Stability: caller.

    The last layers start at zero: an untrained ranker finds all candidates equal.
    """

    def __init__(self, *, columns: int, width: int, dropout: float) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("deviation", torch.ones(columns))
        self.hidden = nn.Sequential(
            nn.Linear(columns, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Dropout(dropout),
        )
        self.out = nn.Linear(width, 1, bias=False)
        self.linear = nn.Linear(columns, 1, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.linear.weight)

    def standardise(self, evidence: Tensor) -> None:
        """Fit mean and deviation of each column to `evidence` (..., F); a column without variance counts as 0."""
        rows = evidence.reshape(-1, evidence.shape[-1])
        deviation, mean = torch.std_mean(rows, dim=0, correction=0)
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, torch.inf))

    def forward(self, evidence: Tensor) -> Tensor:
        """Return the (B, K) scores of `evidence` (B, K, F)."""
        standard = ((evidence - self.mean) / self.deviation).clamp(-_LIMIT, _LIMIT)
        scores: Tensor = (self.out(self.hidden(standard)) + self.linear(standard)).squeeze(-1)
        return scores
