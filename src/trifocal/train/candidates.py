"""Which items a target is compared with in the softmax, and which of them are no negatives after all.

Letters: P predictions, C candidates, N items; the others as in `batch.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["accidental_hits", "softmax_candidates"]

# Past ten nothing changes unless nearly the whole catalogue is drawn.
_NEWTON_STEPS = 20


def softmax_candidates(targets: Tensor, counts: Tensor, limit: int) -> tuple[Tensor, Tensor | None]:
    """Return sorted item rows (C,) that hold every target, and log q; items never taken in training are no negatives.

    Past `limit` items are drawn without repetition in proportion to count^0.75, and q is the chance of being drawn. A
    target that was not drawn stands for itself alone: its log q is infinite, which makes it nobody else's negative.

    Args:
        targets: (P,) int64 item rows.
        counts: (N,) float, positive events in training.
        limit: items that are drawn where more are known.
    """
    known = torch.nonzero(counts > 0).squeeze(1)
    if len(known) <= limit:
        return torch.unique(torch.cat([known, targets])), None
    shares = counts.pow(0.75)
    drawn = torch.multinomial(shares, limit, replacement=False)
    rows = torch.unique(torch.cat([drawn, targets]))
    log_q = _chances(shares / shares.sum(), limit).log()[rows]
    return rows, log_q.masked_fill(~torch.isin(rows, drawn), torch.inf)


def _chances(shares: Tensor, draws: int) -> Tensor:
    """How likely each item is among `draws` distinct ones: 1 - exp(-t share), t such that the sum is `draws`.

    Drawing without repetition is a race: every item arrives after an exponential time of rate `share`, the first
    `draws` are taken. At a fixed time t the chances are these; that t varies little where many are drawn (Rosen 1997,
    Asymptotic theory for order sampling). Newton's method rises to t from below, since the sum is concave in t.
    """
    time = torch.tensor(float(draws), device=shares.device, dtype=torch.float64)
    rates = shares.double()
    for _ in range(_NEWTON_STEPS):
        left = torch.exp(-time * rates)
        time = time + (draws - (1 - left).sum()) / (rates * left).sum().clamp(min=1e-12)
    return (1 - torch.exp(-time * rates)).clamp(min=1e-12).to(shares.dtype)


def accidental_hits(targets: Tensor, users: Tensor, candidates: Tensor) -> Tensor:
    """Return (P, C): the candidate is another target of the same user, so it is no negative.

    Args:
        targets: (B, L + 1) int64 item rows; -1 = nothing to predict.
        users: (P,) rows of `targets`.
        candidates: (C,) rising item rows that hold every target.
    """
    taken = torch.zeros(len(targets), len(candidates) + 1, dtype=torch.bool, device=targets.device)
    columns = torch.searchsorted(candidates, targets.clamp(min=0))
    taken.scatter_(1, torch.where(targets >= 0, columns, len(candidates)), True)
    return taken[users, :-1]
