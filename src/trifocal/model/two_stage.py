"""The trained model as a `Recommender`: user vector, retrieval over all item vectors, ranking of the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from trifocal.features.sequences import user_batch
from trifocal.model.build import TrifocalModel
from trifocal.model.ranker import ItemEvidence, pair_evidence
from trifocal.ranking import top_k
from trifocal.types import Context, FloatArray, IntArray, Rankings, Request

__all__ = ["TwoStageRecommender"]


class TwoStageRecommender:
    """Retrieval and ranking over a fixed table of item vectors. Stability: caller.

    Args:
        name: as it stands in tables.
        model: towers and ranker; put into evaluation mode.
        item_vectors: (N, D), computed by `model.item_tower`.
        evidence: the ranker's tables; None = retrieval order is the answer.
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
        item_vectors: FloatArray,
        evidence: ItemEvidence | None,
        history_length: int,
        text_width: int,
        rank_candidates: int,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.item_vectors = item_vectors
        self._model = model.eval()
        self._table = torch.from_numpy(np.ascontiguousarray(item_vectors))
        self._evidence = evidence
        self._history_length, self._text_width = history_length, text_width
        self._rank_candidates, self._seed = rank_candidates, seed

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        with torch.inference_mode():
            users = user_batch(requests, self._history_length, self._text_width)
            vectors = self._model.user_tower.last(users, self._table)
            scores = (vectors @ self._table.T * self._model.scale).numpy()
            depth = max(k, self._rank_candidates) if self._evidence is not None else k
            retrieved = top_k(scores, depth, exclude=[r.exclude for r in requests], seed=self._seed)
            if self._evidence is None:
                return retrieved
            ranked = self._ranked(vectors, users.item_rows, users.mask, retrieved)
        return Rankings(ranked.item_rows[:, :k], ranked.scores[:, :k])

    def search(self, query_vector: FloatArray, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items that a nameless visitor with this query is recommended; (1, k)."""
        request = Request(context=Context(query_vector=query_vector))
        return self.recommend([request if exclude is None else Request(context=request.context, exclude=exclude)], k)

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items whose vectors are most alike by cosine, never the item itself; (1, k)."""
        unit = self.item_vectors / np.maximum(np.linalg.norm(self.item_vectors, axis=1, keepdims=True), 1e-9)
        left_out = np.append(np.zeros(0, np.int64) if exclude is None else exclude, item_row)
        return top_k((unit @ unit[item_row])[None], k, exclude=[left_out], seed=self._seed)

    def _ranked(self, vectors: Tensor, history: Tensor, mask: Tensor, retrieved: Rankings) -> Rankings:
        rows = torch.from_numpy(np.maximum(retrieved.item_rows, 0))
        filled = torch.from_numpy(retrieved.item_rows < 0)
        scores = torch.from_numpy(retrieved.scores).masked_fill(filled, 0.0)
        evidence = pair_evidence(scores, rows, history, mask, self._evidence)  # type: ignore[arg-type]  # not None here
        final = self._model.ranker(vectors, self._table[rows], evidence).masked_fill(filled, -torch.inf)
        order = torch.argsort(final, dim=1, descending=True, stable=True).numpy()
        return Rankings(
            np.take_along_axis(retrieved.item_rows, order, axis=1), np.take_along_axis(final.numpy(), order, axis=1)
        )
