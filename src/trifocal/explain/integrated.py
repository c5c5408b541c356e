"""Integrated gradients of the score over its gates: how much each word, cell and source adds to it.

`IG_i = (x_i - x'_i) * integral over a of dF / dx_i at x' + a (x - x')` (Sundararajan, Taly & Yan, ICML 2017, eq. 1),
here with x' = 0 and x = 1, all gates closed and all open, by Captum's Gauss-Legendre rule. They add up to
F(x) - F(x') (completeness, proposition 1 there). Letters: S = steps * K states, K items, T text tokens, G image cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trifocal.errors import ConfigError
from trifocal.types import FloatArray

__all__ = ["Attributions", "integrated_gradients"]


@dataclass(frozen=True)
class Attributions:
    """How the scores of K items come about.

    Attributes:
        gates: (K, T + G + 3) what each gate adds; the order is that of `trifocal.explain.gates`.
        scores: (K,) with all gates open.
        neutral: (K,) with all closed.
    """

    gates: FloatArray
    scores: FloatArray
    neutral: FloatArray

    @property
    def completeness_errors(self) -> FloatArray:
        """(K,) |sum of the attributions - (score - neutral)| / |score - neutral|."""
        added = self.scores - self.neutral
        missed: FloatArray = np.abs(self.gates.sum(axis=1) - added) / np.maximum(np.abs(added), 1e-9)
        return missed


def integrated_gradients(scores: Callable[[Tensor], Tensor], items: int, gates: int, *, steps: int) -> Attributions:
    """Return what each of the `gates` adds to the score of each of the `items` (K).

    Args:
        scores: (S, gates) -> (S,), the K items again and again; with a gradient.
        items: K.
        gates: T + G + 3.
        steps: points of the Gauss-Legendre rule.

    Raises:
        ConfigError: when Captum is not installed.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise ConfigError("captum is not installed; `pip install 'trifocal[explain]'`") from error
    with torch.inference_mode(False):
        shut, opened = torch.zeros(items, gates), torch.ones(items, gates)
        with torch.no_grad():
            ends = scores(torch.cat([shut, opened])).numpy()
        found = IntegratedGradients(scores).attribute(opened, shut, n_steps=steps, method="gausslegendre")
    return Attributions(found.detach().numpy(), scores=ends[items:], neutral=ends[:items])
