"""What the gateway needs of a model, and the adapter of a recommender whose steps cannot be called apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from trifocal.errors import ConfigError, ServingError
from trifocal.index import NearestRecommender
from trifocal.ports import Recommender
from trifocal.serve.online import Candidates, ItemFeatures
from trifocal.types import FloatArray, FloatRows, IntArray, Rankings, Request

__all__ = ["Engine", "GrowingEngine", "SimilarItems", "WholeEngine"]


class SimilarItems(Protocol):
    """Which items are alike."""

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items most alike, never the item itself; (1, k)."""
        ...


class Engine(SimilarItems, Protocol):
    """The services of one model: who asks, what may fit, in which order. Stability: caller."""

    @property
    def vectors(self) -> FloatRows:
        """(N, D) item vectors."""
        ...

    def encode(self, requests: Sequence[Request]) -> FloatArray:
        """Return the user vectors of `requests`; (B, D)."""
        ...

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        """Return the candidates of one question, at least `k` where there are as many."""
        ...

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        """Return the candidates in the order of the answer; (1, K)."""
        ...

    def remember(self, request: Request, k: int) -> Candidates:
        """Return the `k` best items by links and popularity alone: no vector is read, no network asked.

        Empty where the history is linked with nothing. Safe to use from several threads.

        Raises:
            ServingError: when the model has no links.
        """
        ...


@runtime_checkable
class GrowingEngine(Engine, Protocol):
    """An engine that takes items while it answers: a change gives another engine. Stability: caller."""

    def with_item(self, row: int, features: ItemFeatures) -> GrowingEngine:
        """Return the engine with an item behind all others, or in place of the one of `row`."""
        ...

    def without(self, row: int) -> GrowingEngine:
        """Return the engine that does not look for the item of `row` any more; its row stays."""
        ...


class _Whole(Recommender, SimilarItems, Protocol):
    @property
    def item_vectors(self) -> FloatRows: ...


class WholeEngine:
    """A recommender that retrieves and ranks in one. Stability: internal."""

    def __init__(self, recommender: _Whole) -> None:
        self._recommender = recommender

    @property
    def vectors(self) -> FloatRows:
        """See `Engine`."""
        return self._recommender.item_vectors

    def encode(self, requests: Sequence[Request]) -> FloatArray:
        """Return nothing of width 0: the recommender reads the request itself."""
        return np.zeros((len(requests), 0), np.float32)

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        """Return the recommender's list."""
        found = self._recommender.recommend([request], k)
        real = found.item_rows[0] >= 0
        rows, scores = found.item_rows[0][real], found.scores[0][real]
        return Candidates(rows, scores, scores, np.zeros_like(scores))

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        """Return the list as it is."""
        return candidates.ranking()

    def remember(self, request: Request, k: int) -> Candidates:
        """See `Engine`.

        Raises:
            ServingError: always: what the recommender knows cannot be told apart.
        """
        raise ServingError(
            f"{type(self._recommender).__name__} has no links between items to answer from; "
            "train and serve a model with a memory"
        )

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """See `Engine`."""
        return self._recommender.similar(item_row, k, exclude)

    def with_item(self, row: int, features: ItemFeatures) -> WholeEngine:
        """See `GrowingEngine`.

        Raises:
            ConfigError: when the recommender takes no new items.
        """
        return WholeEngine(self._growing().with_item(row, features.vector, features.text))

    def without(self, row: int) -> WholeEngine:
        """See `GrowingEngine`."""
        return WholeEngine(self._growing().without(row))

    def _growing(self) -> NearestRecommender:
        if not isinstance(self._recommender, NearestRecommender):
            raise ConfigError(
                f"a recommender of the class {type(self._recommender).__name__} takes no new items while it serves; "
                "train and swap the bundle instead"
            )
        return self._recommender
