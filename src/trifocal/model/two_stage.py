"""The trained model as a `Recommender`: user vector and memory, retrieval over all items, ranking of the best.

```
history, context ─► user tower ─► deep score (B, N) ─┐
history ─► memory ─► linked items (B, N) ────────────┴─► retrieval score ─► best K ─► ranker + deep score ─► list
```

Without a memory the deep score retrieves alone, and nothing is reranked. A search query is understood by the user
tower alone, so that a request with one is ranked by its deep score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from trifocal.features.sequences import user_batch
from trifocal.model.build import TrifocalModel
from trifocal.model.evidence import EvidenceTables, evidence_of, today
from trifocal.model.memory import ItemMemory
from trifocal.ranking import top_k
from trifocal.types import Context, FloatArray, IntArray, Rankings, Request

__all__ = ["Blend", "Knowledge", "TwoStageRecommender", "popularity_prior"]

# Orders what the memory finds equal, above all for a stranger, by popularity; far below any link.
_POPULARITY_PRIOR = 1e-4


@dataclass(frozen=True)
class Blend:
    """How the deep score joins memory and ranker; chosen on validation.

    Attributes:
        retrieval: factor of the deep score beside the memory's, whose links are about a hundredth of a logit.
        ranker: whether the second stage reorders the best; else the retrieval order is the answer.
        ranking: factor of the deep score beside the ranker's.
    """

    retrieval: float = 0.0
    ranker: bool = False
    ranking: float = 0.0


@dataclass(frozen=True)
class Knowledge:
    """What is known of the items beside the network's weights.

    Attributes:
        vectors: (N, D), computed by the item tower.
        evidence: the second stage's tables.
        memory: links between items, or None.
    """

    vectors: FloatArray
    evidence: EvidenceTables
    memory: ItemMemory | None


def popularity_prior(counts: FloatArray) -> FloatArray:
    """Return (N,): what is added to the memory's scores, so that what they find equal is ordered by popularity."""
    prior: FloatArray = np.log1p(counts) * np.float32(_POPULARITY_PRIOR)
    return prior


class TwoStageRecommender:
    """Retrieval and ranking over a fixed table of item vectors. Stability: caller.

    Args:
        name: as it stands in tables.
        model: towers and ranker; put into evaluation mode.
        knowledge: of the items.
        blend: how the scores join.
        history_length: newest events that are read.
        text_width: features of a query vector.
        rank_candidates: K, how many the ranker scores.
        seed: of the order among equal scores.
    """

    def __init__(
        self,
        *,
        name: str,
        model: TrifocalModel,
        knowledge: Knowledge,
        blend: Blend,
        history_length: int,
        text_width: int,
        rank_candidates: int,
        seed: int = 0,
    ) -> None:
        self.name, self.knowledge, self.blend = name, knowledge, blend
        self._model = model.eval()
        vectors = knowledge.vectors
        self._table = torch.from_numpy(np.ascontiguousarray(vectors))
        self._prior = popularity_prior(knowledge.evidence.counts)
        self.history_length, self.text_width, self.rank_candidates = history_length, text_width, rank_candidates
        self._seed = seed

    @property
    def scale(self) -> float:
        """Factor of the deep score, which makes logits of inner products."""
        return float(self._model.scale.item())

    @property
    def model(self) -> TrifocalModel:
        """Towers and ranker."""
        return self._model

    @property
    def item_vectors(self) -> FloatArray:
        """(N, D)."""
        return self.knowledge.vectors

    def with_blend(self, blend: Blend) -> TwoStageRecommender:
        """Return the same recommender with another blend."""
        return self._copy(self.name, self.knowledge, blend)

    def with_items(self, name: str, knowledge: Knowledge) -> TwoStageRecommender:
        """Return the recommender called `name` with the same network and blend over other knowledge of the items."""
        return self._copy(name, knowledge, self.blend)

    def _copy(self, name: str, knowledge: Knowledge, blend: Blend) -> TwoStageRecommender:
        return TwoStageRecommender(
            name=name,
            model=self._model,
            knowledge=knowledge,
            blend=blend,
            history_length=self.history_length,
            text_width=self.text_width,
            rank_candidates=self.rank_candidates,
            seed=self._seed,
        )

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        with torch.inference_mode():
            deep = self._deep(requests)
            memory = self.knowledge.memory
            if memory is None:
                return self._best(deep, k, requests)
            linked = self._linked(memory, [request.history.item_rows for request in requests])
            scores = _by_query(deep, linked + np.float32(self.blend.retrieval) * deep, requests)
            if not self.blend.ranker:
                return self._best(scores, k, requests)
            retrieved = self._best(scores, max(k, self.rank_candidates), requests)
            ranked = self._ranked(memory, deep, linked, requests, retrieved)
        return Rankings(ranked.item_rows[:, :k], ranked.scores[:, :k])

    def search(self, query_vector: FloatArray, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items that a nameless visitor with this query is recommended; (1, k)."""
        barred = np.zeros(0, np.int64) if exclude is None else exclude
        return self.recommend([Request(context=Context(query_vector=query_vector), exclude=barred)], k)

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items whose vectors are most alike by cosine, never the item itself; (1, k)."""
        barred = np.append(np.zeros(0, np.int64) if exclude is None else exclude, item_row)
        vectors = self.knowledge.vectors
        return top_k((vectors @ vectors[item_row] / self._lengths)[None], k, exclude=[barred], seed=self._seed)

    @cached_property
    def _lengths(self) -> FloatArray:
        lengths: FloatArray = np.maximum(np.linalg.norm(self.knowledge.vectors, axis=1), 1e-9)
        return lengths

    def _deep(self, requests: Sequence[Request]) -> FloatArray:
        users = user_batch(requests, self.history_length, self.text_width)
        scores: FloatArray = (self._model.user_tower.last(users, self._table) @ self._table.T).numpy()
        return scores * np.float32(self.scale)

    def _linked(self, memory: ItemMemory, histories: Sequence[IntArray]) -> FloatArray:
        linked: FloatArray = memory.scores(histories) + self._prior
        return linked

    def _best(self, scores: FloatArray, k: int, requests: Sequence[Request]) -> Rankings:
        return top_k(scores, k, exclude=[request.exclude for request in requests], seed=self._seed)

    def _ranked(
        self,
        memory: ItemMemory,
        deep: FloatArray,
        linked: FloatArray,
        requests: Sequence[Request],
        retrieved: Rankings,
    ) -> Rankings:
        best = retrieved.item_rows[:, : self.rank_candidates]
        # Where fewer items are left, the best of them fills up: what is excluded must not be what others are behind.
        rows = np.maximum(np.where(best < 0, best[:, :1], best), 0)
        evidence = self._evidence(memory, linked, requests, rows)
        deep = np.take_along_axis(deep, rows, axis=1)
        ranked = self._model.ranker(torch.from_numpy(evidence)).numpy() + np.float32(self.blend.ranking) * deep
        scores = _by_query(deep, ranked, requests)
        scores[best < 0] = -np.inf
        return _reordered(retrieved, scores)

    def _evidence(
        self, memory: ItemMemory, linked: FloatArray, requests: Sequence[Request], rows: IntArray
    ) -> FloatArray:
        tables = self.knowledge.evidence
        histories = [request.history.last(self.history_length) for request in requests]
        visits = [history.item_rows[today(history, r.context)] for history, r in zip(histories, requests, strict=True)]
        linked, linked_today = (
            np.take_along_axis(scores, rows, axis=1) for scores in (linked, self._linked(memory, visits))
        )
        return np.stack(
            [
                evidence_of(tables, candidates, history, request.context, whole, visit)
                for candidates, history, request, whole, visit in zip(
                    rows, histories, requests, linked, linked_today, strict=True
                )
            ]
        )


def _by_query(deep: FloatArray, scores: FloatArray, requests: Sequence[Request]) -> FloatArray:
    """Return `scores`, those of requests with a search query replaced by `deep`: the towers alone understand one."""
    asked = [place for place, request in enumerate(requests) if request.context.query_vector is not None]
    scores[asked] = deep[asked]
    return scores


def _reordered(retrieved: Rankings, scores: FloatArray) -> Rankings:
    """Order the first K by `scores` (B, K); the others stay behind them, in the order of retrieval."""
    k = scores.shape[1]
    order = np.argsort(-scores, axis=1, kind="stable")
    head = np.take_along_axis(scores, order, axis=1)
    rows = np.concatenate(
        [np.take_along_axis(retrieved.item_rows[:, :k], order, axis=1), retrieved.item_rows[:, k:]], 1
    )
    tail = retrieved.scores[:, k:]
    # Wherever the tail holds an item, every place of the head does; else both are -inf, whose difference is no number.
    last = np.maximum(retrieved.scores[:, k - 1 : k], np.finfo(np.float32).min)
    behind = head[:, -1:] - 1 + np.minimum(tail - last, 0)
    return Rankings(rows, np.concatenate([head, behind], axis=1).astype(np.float32))
