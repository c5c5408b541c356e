"""Late fusion: the weighted sum of several recommenders' scores, each brought to one scale in its own list.

Source: Fox, Shaw, "Combination of multiple searches", TREC-2, 1994 (CombSUM over min-max scores).

Letters: B requests, N items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.errors import ConfigError
from trifocal.ports import Recommender
from trifocal.ranking import top_k
from trifocal.types import FloatArray, Rankings, Request

__all__ = ["LateFusionRecommender", "unit_scores"]


@dataclass(frozen=True)
class LateFusionRecommender:
    """Asks each part for its whole order and adds up what they say. Stability: caller.

    Attributes:
        parts: the recommenders, over the same items.
        weights: of each part, not below 0.
        n_items: N.
        depth: places of each part's list that count; items behind them count 0.
        name: as it stands in tables.
        seed: of the order among equal scores.
    """

    parts: tuple[Recommender, ...]
    weights: tuple[float, ...]
    n_items: int
    depth: int = 500
    name: str = "late-fusion"
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.parts) != len(self.weights) or min(self.weights, default=0) < 0 or not any(self.weights):
            raise ConfigError(
                f"{len(self.parts)} parts with weights {self.weights}: give one weight a part, none below 0, one above"
            )

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        total = np.zeros((len(requests), self.n_items), dtype=np.float32)
        for part, weight in zip(self.parts, self.weights, strict=True):
            if weight:
                lists = part.recommend(requests, min(max(self.depth, k), self.n_items))
                total += np.float32(weight) * unit_scores(lists, self.n_items)
        return top_k(total, k, exclude=[request.exclude for request in requests], seed=self.seed)


def unit_scores(lists: Rankings, n_items: int) -> FloatArray:
    """Return (B, N): scores brought to 0..1 within each list, the last of it at 0; items outside it have 0.

    >>> unit_scores(Rankings(np.array([[2, 0, 1]]), np.array([[5.0, 4.0, 3.0]], np.float32)), 4).tolist()
    [[0.5, 0.0, 1.0, 0.0]]
    """
    real = lists.item_rows >= 0
    scores = np.where(real, lists.scores, np.nan)
    low = np.nanmin(scores, axis=1, keepdims=True, initial=np.inf, where=real)
    high = np.nanmax(scores, axis=1, keepdims=True, initial=-np.inf, where=real)
    span = np.where(high > low, high - low, 1.0)
    unit = np.where(real, (scores - low) / span, 0.0).astype(np.float32)
    found = np.zeros((len(unit), n_items + 1), dtype=np.float32)
    # Places that are filled up point behind the last item.
    np.put_along_axis(found, np.where(real, lists.item_rows, n_items), unit, axis=1)
    return found[:, :n_items]
