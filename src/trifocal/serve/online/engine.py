"""encode -> retrieve -> rank, as the gateway asks for them and as `trifocal evaluate` scores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trifocal.index import IndexConfig, build_index
from trifocal.model import TwoStageRecommender
from trifocal.ports import Index
from trifocal.ranking import top_k
from trifocal.serve.online.candidates import Candidates
from trifocal.serve.online.encoding import TorchUsers, UserEncoding
from trifocal.serve.online.ranking import EvidenceRanking, Ranking, Scorer, TorchScorer
from trifocal.serve.online.retrieval import Retrieval, TwoSourceRetrieval
from trifocal.types import FloatArray, IntArray, Rankings, Request

__all__ = ["OnlineEngine", "online_engine"]


@dataclass(frozen=True)
class OnlineEngine:
    """The services of one model, each replaceable: a `Recommender` whose steps can be called apart. Stability: caller.

    Attributes:
        vectors: (N, D) item vectors.
        candidates: K, how many are ranked.
        ranks: whether the second stage reorders; else retrieval is the answer.
    """

    encoding: UserEncoding
    retrieval: Retrieval
    ranking: Ranking
    vectors: FloatArray
    candidates: int
    ranks: bool = True
    name: str = "online"

    def encode(self, requests: Sequence[Request]) -> FloatArray:
        """Return the user vectors of `requests`; (B, D)."""
        return self.encoding.user_vectors(requests, self.vectors)

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        """Return the candidates of one question, at least `k` where there are as many."""
        return self.retrieval.retrieve(request, user, max(k, self.candidates))

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        """Return the candidates in the order of the answer; (1, K)."""
        return self.ranking.rank(request, candidates) if self.ranks else candidates.ranking()

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items most alike by cosine, never the item itself; (1, k)."""
        barred = np.append(np.zeros(0, np.int64) if exclude is None else exclude, item_row)
        return top_k((self.vectors @ self.vectors[item_row] / self._lengths)[None], k, exclude=[barred])

    @cached_property
    def _lengths(self) -> FloatArray:
        lengths: FloatArray = np.maximum(np.linalg.norm(self.vectors, axis=1), 1e-9)
        return lengths

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        users = self.encode(requests)
        lists = [
            self.rank(request, self.retrieve(request, user, k)) for request, user in zip(requests, users, strict=True)
        ]
        return _padded(lists, k)


def online_engine(
    model: TwoStageRecommender,
    *,
    index: Index | None = None,
    encoding: UserEncoding | None = None,
    scorer: Scorer | None = None,
) -> OnlineEngine:
    """Return the services of `model`.

    Args:
        model: as the bundle holds it.
        index: of its item vectors; None = built now, of the kind that fits their number.
        encoding: of users; None = by PyTorch.
        scorer: of evidence; None = by PyTorch.
    """
    knowledge, blend = model.knowledge, model.blend
    vectors = np.ascontiguousarray(knowledge.vectors)
    retrieval = TwoSourceRetrieval(
        vectors=vectors,
        index=index or build_index(vectors, config=IndexConfig()).index,
        memory=knowledge.memory,
        counts=knowledge.evidence.counts,
        blend=blend,
        scale=model.scale,
    )
    ranking = EvidenceRanking(
        knowledge.evidence,
        scorer or TorchScorer(model.model.ranker),
        retrieval,
        deep_share=blend.ranking,
        history_length=model.history_length,
    )
    users = encoding or TorchUsers(
        model.model.user_tower, history_length=model.history_length, text_width=model.text_width
    )
    return OnlineEngine(
        users,
        retrieval,
        ranking,
        vectors,
        model.rank_candidates,
        ranks=blend.ranker and knowledge.memory is not None,
        name=model.name,
    )


def _padded(lists: Sequence[Rankings], k: int) -> Rankings:
    rows = np.full((len(lists), k), -1, dtype=np.int64)
    scores = np.full((len(lists), k), -np.inf, dtype=np.float32)
    for line, found in enumerate(lists):
        size = min(k, found.item_rows.shape[1])
        rows[line, :size], scores[line, :size] = found.item_rows[0, :size], found.scores[0, :size]
    return Rankings(rows, scores)
