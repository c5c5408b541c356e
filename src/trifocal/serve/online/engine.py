"""encode -> retrieve -> rank, as the gateway asks for them and as `trifocal evaluate` scores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from trifocal.errors import ConfigError
from trifocal.index import IndexConfig, build_index
from trifocal.model import ModelConfig, TwoStageRecommender
from trifocal.model.evidence import Comparison
from trifocal.ports import Index
from trifocal.ranking import top_k
from trifocal.serve.online.candidates import Candidates
from trifocal.serve.online.encoding import TorchUsers, UserEncoding
from trifocal.serve.online.growth import Growth, products, with_value
from trifocal.serve.online.item_features import ItemFeatures
from trifocal.serve.online.links import LikenessWeights
from trifocal.serve.online.ranking import EvidenceRanking, Ranking, Scorer, TorchScorer
from trifocal.serve.online.retrieval import Retrieval, TwoSourceRetrieval
from trifocal.serve.online.rows import Rows
from trifocal.types import FloatArray, FloatRows, IntArray, Rankings, Request

__all__ = ["OnlineEngine", "online_engine"]

_LEAST_LENGTH = 1e-9


@dataclass(frozen=True)
class OnlineEngine:
    """The services of one model, each replaceable: a `Recommender` whose steps can be called apart. Stability: caller.

    Attributes:
        vectors: (N, D) item vectors.
        candidates: K, how many are ranked.
        ranks: whether the second stage reorders; else retrieval is the answer.
        growth: what the services are made of, where they can take items while they answer.
    """

    encoding: UserEncoding
    retrieval: Retrieval
    ranking: Ranking
    vectors: FloatRows
    candidates: int
    ranks: bool = True
    name: str = "online"
    growth: Growth | None = None

    def encode(self, requests: Sequence[Request]) -> FloatArray:
        """Return the user vectors of `requests`; (B, D)."""
        return self.encoding.user_vectors(requests, self.vectors)

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        """Return the candidates of one question, at least `k` where there are as many."""
        return self.retrieval.retrieve(request, user, max(k, self.candidates))

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        """Return the candidates in the order of the answer; (1, K)."""
        return self.ranking.rank(request, candidates) if self.ranks else candidates.ranking()

    def remember(self, request: Request, k: int) -> Candidates:
        """Return the `k` best items by links and popularity alone; see `Engine`.

        Raises:
            ServingError: when the model has no memory.
        """
        return self.retrieval.remember(request, k)

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """Return the `k` items most alike by cosine, never the item itself; (1, k)."""
        barred = np.append(np.zeros(0, np.int64) if exclude is None else exclude, item_row)
        vector = self.vectors[np.array([item_row])][0]
        return top_k((products(self.vectors, vector) / self._lengths)[None], k, exclude=[barred])

    def with_item(self, row: int, features: ItemFeatures) -> OnlineEngine:
        """Return the engine with an item behind all others, or in place of the one of `row`; this one stays.

        Raises:
            ConfigError: when the services cannot grow.
        """
        grown = self._growing().with_item(row, features)
        lengths = with_value(self._lengths, row, max(float(np.linalg.norm(features.vector)), _LEAST_LENGTH))
        prices = grown.ranking.tables.attributes[:, -1]
        return self._over(grown, lengths, self.encoding.with_prices(prices))

    def without(self, row: int) -> OnlineEngine:
        """Return the engine that does not look for the item of `row` any more; its row stays."""
        return self._over(self._growing().without(row), self._lengths, self.encoding)

    def _growing(self) -> Growth:
        if self.growth is None:
            raise ConfigError("this engine takes no new items while it serves; build it with `online_engine`")
        return self.growth

    def _over(self, grown: Growth, lengths: FloatArray, encoding: UserEncoding) -> OnlineEngine:
        other = replace(
            self,
            encoding=encoding,
            retrieval=grown.retrieval,
            ranking=grown.ranking,
            vectors=grown.vectors,
            growth=grown,
        )
        other.__dict__["_lengths"] = lengths
        return other

    @cached_property
    def _lengths(self) -> FloatArray:
        every = self.vectors[np.arange(len(self.vectors))]
        lengths: FloatArray = np.maximum(np.linalg.norm(every, axis=1), _LEAST_LENGTH)
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
    rows: Rows | None = None,
    compare: Comparison | None = None,
    config: ModelConfig | None = None,
) -> OnlineEngine:
    """Return the services of `model`.

    Args:
        model: as the bundle holds it.
        index: of its item vectors; None = built now, of the kind that fits their number.
        encoding: of users; None = by PyTorch.
        scorer: of evidence; None = by PyTorch.
        rows: sums and sets of rows; None = by NumPy.
        compare: candidates with the history; None = by NumPy.
        config: of the model, for the links of new items; None = the defaults.
    """
    knowledge, blend = model.knowledge, model.blend
    vectors = np.ascontiguousarray(knowledge.vectors)
    found, config = index or build_index(vectors, config=IndexConfig()).index, config or ModelConfig()
    retrieval = TwoSourceRetrieval(
        vectors=vectors,
        index=found,
        memory=knowledge.memory,
        counts=knowledge.evidence.counts,
        blend=blend,
        scale=model.scale,
        rows=rows,
    )
    ranking = EvidenceRanking(
        knowledge.evidence,
        scorer or TorchScorer(model.model.ranker),
        retrieval,
        deep_share=blend.ranking,
        history_length=model.history_length,
        compare=compare,
    )
    weights = LikenessWeights(config.memory_text, config.memory_image)
    growth = Growth(retrieval, ranking, found, vectors, knowledge.memory, weights, len(vectors))
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
        growth=growth,
    )


def _padded(lists: Sequence[Rankings], k: int) -> Rankings:
    rows = np.full((len(lists), k), -1, dtype=np.int64)
    scores = np.full((len(lists), k), -np.inf, dtype=np.float32)
    for line, found in enumerate(lists):
        size = min(k, found.item_rows.shape[1])
        rows[line, :size], scores[line, :size] = found.item_rows[0, :size], found.scores[0, :size]
    return Rankings(rows, scores)
