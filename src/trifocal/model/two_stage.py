"""The trained model as a `Recommender`: user vector and memory, retrieval over all items, ranking of the best.

```
history, context ─► user tower ─► deep score (B, N) ─┐
history ─► memory ─► linked items (B, N) ────────────┴─► blended ─► best K ─► ranker ─► list
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trifocal.features.sequences import user_batch
from trifocal.model.build import TrifocalModel
from trifocal.model.memory import ItemMemory
from trifocal.model.ranker import ItemEvidence, pair_evidence
from trifocal.ranking import top_k
from trifocal.types import Context, FloatArray, IntArray, Rankings, Request

__all__ = ["Blend", "TwoStageRecommender"]


@dataclass(frozen=True)
class Blend:
    """How much memory and ranker add to the deep score; chosen on validation.

    Attributes:
        memory: factor of the memory's score; 0 = deep alone.
        ranker: factor of the ranker's correction; 0 = retrieval order is the answer.
    """

    memory: float = 0.0
    ranker: float = 0.0


class TwoStageRecommender:
    """Retrieval and ranking over a fixed table of item vectors. Stability: caller.

    Args:
        name: as it stands in tables.
        model: towers and ranker; put into evaluation mode.
        item_vectors: (N, D), computed by `model.item_tower`.
        evidence: the ranker's tables.
        memory: links between items, or None.
        blend: what memory and ranker add.
        history_length: newest events that the user tower reads.
        text_width: features of a query vector.
        rank_candidates: K, how many the ranker scores.
        seed: of the order among equal scores.
    """

    def __init__(
        self,
        *,
        name: str,
        model: TrifocalModel,
        item_vectors: FloatArray,
        evidence: ItemEvidence,
        memory: ItemMemory | None,
        blend: Blend,
        history_length: int,
        text_width: int,
        rank_candidates: int,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.item_vectors = item_vectors
        self.memory, self.blend = memory, blend
        self._model = model.eval()
        self._table = torch.from_numpy(np.ascontiguousarray(item_vectors))
        norms = np.linalg.norm(item_vectors, axis=1, keepdims=True)
        self._unit = item_vectors / np.maximum(norms, 1e-9)
        self._evidence = evidence
        self._history_length, self._text_width = history_length, text_width
        self._rank_candidates, self._seed = rank_candidates, seed

    @property
    def model(self) -> TrifocalModel:
        """Towers and ranker."""
        return self._model

    def with_blend(self, blend: Blend) -> TwoStageRecommender:
        """Return the same recommender with another blend."""
        return self._copy(self.name, self.item_vectors, self._evidence, self.memory, blend)

    def with_items(
        self, name: str, *, item_vectors: FloatArray, evidence: ItemEvidence, memory: ItemMemory | None
    ) -> TwoStageRecommender:
        """Return the recommender called `name` with the same network and blend over other knowledge of the items."""
        return self._copy(name, item_vectors, evidence, memory, self.blend)

    def _copy(
        self, name: str, item_vectors: FloatArray, evidence: ItemEvidence, memory: ItemMemory | None, blend: Blend
    ) -> TwoStageRecommender:
        return TwoStageRecommender(
            name=name,
            model=self._model,
            item_vectors=item_vectors,
            evidence=evidence,
            memory=memory,
            blend=blend,
            history_length=self._history_length,
            text_width=self._text_width,
            rank_candidates=self._rank_candidates,
            seed=self._seed,
        )

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        with torch.inference_mode():
            users = user_batch(requests, self._history_length, self._text_width)
            vectors = self._model.user_tower.last(users, self._table)
            deep = vectors @ self._table.T * self._model.scale
            scores = self._blended(deep.numpy(), requests)
            depth = max(k, self._rank_candidates) if self.blend.ranker else k
            retrieved = top_k(scores, depth, exclude=[r.exclude for r in requests], seed=self._seed)
            if not self.blend.ranker:
                return retrieved
            ranked = self._ranked(vectors, deep, users.item_rows, users.mask, retrieved)
        return Rankings(ranked.item_rows[:, :k], ranked.scores[:, :k])

    def search(self, query_vector: FloatArray, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items that a nameless visitor with this query is recommended; (1, k)."""
        barred = np.zeros(0, np.int64) if exclude is None else exclude
        return self.recommend([Request(context=Context(query_vector=query_vector), exclude=barred)], k)

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items whose vectors are most alike by cosine, never the item itself; (1, k)."""
        barred = np.append(np.zeros(0, np.int64) if exclude is None else exclude, item_row)
        return top_k((self._unit @ self._unit[item_row])[None], k, exclude=[barred], seed=self._seed)

    def _blended(self, deep: FloatArray, requests: Sequence[Request]) -> FloatArray:
        if self.memory is None or not self.blend.memory:
            return deep
        linked = self.memory.scores([request.history.item_rows for request in requests])
        blended: FloatArray = deep + np.float32(self.blend.memory) * linked
        return blended

    def _ranked(self, vectors: Tensor, deep: Tensor, history: Tensor, mask: Tensor, retrieved: Rankings) -> Rankings:
        rows = torch.from_numpy(np.maximum(retrieved.item_rows, 0))
        filled = torch.from_numpy(retrieved.item_rows < 0)
        evidence = pair_evidence(deep.gather(1, rows), rows, history, mask, self._evidence)
        correction = self._model.ranker(vectors, self._table[rows], evidence)
        final = torch.from_numpy(retrieved.scores) + self.blend.ranker * correction
        final = final.masked_fill(filled, -torch.inf)
        order = torch.argsort(final, dim=1, descending=True, stable=True).numpy()
        return Rankings(
            np.take_along_axis(retrieved.item_rows, order, axis=1), np.take_along_axis(final.numpy(), order, axis=1)
        )
