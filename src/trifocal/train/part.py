"""What a part of the loss is."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Part"]


class Part(NamedTuple):
    """One part of the loss.

    Attributes:
        loss: scalar, a mean.
        weight: scalar, what it is a mean over: the sum of the weights of its examples.
    """

    loss: Tensor
    weight: Tensor
