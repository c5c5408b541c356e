"""Low-rank adaptation: a frozen linear map plus a trained one of low rank. nn.Module only.

Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (arXiv 2106.09685), section 4.1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LoraLinear", "adapt"]


class LoraLinear(nn.Module):
    """`h = W x + b + up(down(x))`, equation 3; W and b are frozen. Stability: internal.

    `down` is drawn and `up` is zero, so that at the start nothing is changed. The factor alpha / rank of the paper is
    1: the paper sets alpha to the first rank it tries and leaves it there.

    Args:
        linear: W and b, taken over.
        rank: of the trained map, at most the lesser side of W.
    """

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach(), requires_grad=False)
        self.bias = nn.Parameter(linear.bias.detach(), requires_grad=False)
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) * linear.in_features**-0.5)
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, features: Tensor) -> Tensor:
        """Return (..., out) of (..., in)."""
        changed: Tensor = functional.linear(functional.linear(features, self.down), self.up)
        return functional.linear(features, self.weight, self.bias) + changed


def adapt(module: nn.Module, names: tuple[str, ...], rank: int) -> None:
    """Freeze `module` in place and give each of its linear maps that is called one of `names` a low-rank one beside."""
    module.requires_grad_(False)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if name in names and isinstance(child, nn.Linear):
                setattr(parent, name, LoraLinear(child, rank))
