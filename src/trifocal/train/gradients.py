"""How hard each part of the loss pulls at what the parts share: the norm of its gradient on the item tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from trifocal.model.build import TrifocalModel

__all__ = ["gradient_norms", "shared_parameters"]

# Every loss reaches the item tower through these; seen from there, the Transformer below need not be passed through.
_SHARED = ("shortcut", "attribute_shortcut", "read_out")


def shared_parameters(model: TrifocalModel) -> list[nn.Parameter]:
    """Return the last weights of the item tower, which every part has in common: shortcuts and read-out."""
    return [parameter for name in _SHARED for parameter in model.item_tower.get_submodule(name).parameters()]


def gradient_norms(losses: Mapping[str, Tensor], parameters: Sequence[Tensor]) -> dict[str, float]:
    """Return the Euclidean norm of the gradient of each loss on `parameters` taken together; the graph is kept.

    >>> weight = torch.tensor([3.0], requires_grad=True)
    >>> other = torch.tensor([1.0], requires_grad=True)
    >>> losses = {"one": (3 * weight + 4 * other).sum(), "none": torch.tensor(2.0)}
    >>> gradient_norms(losses, [weight, other])  # sqrt(3^2 + 4^2)
    {'one': 5.0, 'none': 0.0}
    """
    return {name: _norm(loss, parameters) for name, loss in losses.items()}


def _norm(loss: Tensor, parameters: Sequence[Tensor]) -> float:
    if not loss.requires_grad:
        return 0.0
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    squares = [gradient.float().square().sum() for gradient in found if gradient is not None]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0
