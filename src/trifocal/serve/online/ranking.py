"""Candidates -> the answer: evidence of each, scored by the ranker, joined by the deep score.

Letters: B questions, K candidates, F columns of evidence.
"""

from __future__ import annotations

import copy
from typing import Any, Protocol

import numpy as np
import torch

from trifocal.model.evidence import Comparison, EvidenceTables, evidence_of, today
from trifocal.model.ranker import Ranker
from trifocal.serve.online.candidates import Candidates
from trifocal.serve.online.retrieval import Retrieval
from trifocal.types import FloatArray, Rankings, Request

__all__ = ["EvidenceRanking", "OnnxScorer", "Ranking", "Scorer", "TorchScorer"]


class Scorer(Protocol):
    """Evidence (B, K, F) -> scores (B, K)."""

    def scores(self, evidence: FloatArray) -> FloatArray:
        """Return (B, K)."""
        ...


class TorchScorer:
    """The ranker as it was trained: the reference. Stability: internal."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker.eval()

    def scores(self, evidence: FloatArray) -> FloatArray:
        """See `Scorer`."""
        with torch.inference_mode():
            found: FloatArray = self._ranker(torch.from_numpy(evidence)).numpy()
        return found


class OnnxScorer:
    """The exported ranker. Stability: internal."""

    def __init__(self, session: Any) -> None:
        """Take an `InferenceSession` with the one input `evidence`."""
        self._session = session

    def scores(self, evidence: FloatArray) -> FloatArray:
        """See `Scorer`."""
        found: FloatArray = self._session.run(None, {"evidence": evidence})[0]
        return found


class Ranking(Protocol):
    """One question and its candidates -> the answer. Stability: caller."""

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        """Return the candidates, best first; (1, K)."""
        ...


class EvidenceRanking:
    """The second stage. Stability: internal."""

    def __init__(
        self,
        tables: EvidenceTables,
        scorer: Scorer,
        retrieval: Retrieval,
        *,
        deep_share: float,
        history_length: int,
        compare: Comparison | None = None,
    ) -> None:
        """Take what is known and what scores it.

        Args:
            tables: the evidence.
            scorer: of the evidence.
            retrieval: which knows the links from the items of the same visit.
            deep_share: factor of the deep score beside the ranker's.
            history_length: newest events that the evidence reads.
            compare: candidates with the history; None = by NumPy.
        """
        self._tables, self._scorer, self._retrieval = tables, scorer, retrieval
        self._deep_share, self._history_length = np.float32(deep_share), history_length
        self._compare = compare

    def grown(self, tables: EvidenceTables, retrieval: Retrieval) -> EvidenceRanking:
        """Return the same ranking over other tables."""
        other = copy.copy(self)
        other._tables, other._retrieval = tables, retrieval
        return other

    @property
    def tables(self) -> EvidenceTables:
        """What is known of the items."""
        return self._tables

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        """See `Ranking`; a question with a search query keeps the order of the towers, which alone understand it."""
        if request.context.query_vector is not None or not len(candidates):
            return candidates.ranking()
        scores = self._scorer.scores(self._evidence(request, candidates)[None])[0] + self._deep_share * candidates.deep
        order = np.argsort(-scores, kind="stable")
        return Rankings(candidates.item_rows[order][None], scores[order][None])

    def _evidence(self, request: Request, candidates: Candidates) -> FloatArray:
        history = request.history.last(self._history_length)
        near = today(history, request.context)
        visit = candidates.linked
        if not near.all() or len(history) < len(request.history):
            visit = self._retrieval.linked(history.item_rows[near], candidates.item_rows)
        return evidence_of(
            self._tables,
            candidates.item_rows,
            history,
            request.context,
            candidates.linked,
            visit,
            compare=self._compare,
        )
