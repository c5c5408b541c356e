"""The sequence baseline: a causal Transformer over item ids alone, answering from a request's history.

Kang, McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, arXiv 1808.09781, trained with the softmax over
all items; see `sasrec_network`. There is no user table: a user never seen in training is served like any other.

Letters: B requests, N items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trifocal.baselines.sasrec_batches import left_aligned, moments, windows
from trifocal.baselines.sasrec_checkpoint import SasrecProgress
from trifocal.baselines.sasrec_network import SasrecNetwork
from trifocal.baselines.sasrec_settings import SasrecSettings
from trifocal.baselines.sasrec_training import train_network
from trifocal.errors import ConfigError, DataError
from trifocal.ports import Validator
from trifocal.ranking import top_k
from trifocal.types import FloatArray, History, IntArray, Rankings, Request

__all__ = ["SasrecRecommender", "SasrecSettings"]


@dataclass(frozen=True)
class SasrecRecommender:
    """Ranks by the state after the newest event times the item table. Stability: caller.

    A request without history gets the popularity order.

    Attributes:
        network: of the best epoch.
        popularity: (N,) float32, events an item has; used where there is no history.
        settings: as fitted.
        progress: how training went: epochs, seconds, validation curve.
        name: as it stands in tables.
        seed: of the fit and of the order among equal scores.
    """

    network: SasrecNetwork
    popularity: FloatArray
    settings: SasrecSettings
    progress: SasrecProgress | None = None
    name: str = "sasrec"
    seed: int = 0

    @classmethod
    def fit(
        cls,
        histories: Sequence[History],
        n_items: int,
        settings: SasrecSettings | None = None,
        *,
        seed: int = 0,
        validate: Validator | None = None,
        metric: str = "ndcg@10",
        folder: Path | None = None,
    ) -> SasrecRecommender:
        """Return the recommender of the best epoch; the same for the same seed and number of threads.

        Histories longer than `history_length` + 1 are cut into windows from the newest event back, so that no event
        is lost to training.

        Args:
            histories: what each user did, oldest first.
            n_items: N, rows of the catalogue.
            settings: None = the defaults.
            seed: of weights, order and dropout.
            validate: scores a recommender; None = the last epoch is the best.
            metric: the figure of `validate` that says which epoch is best.
            folder: where the state is kept after each epoch, and gone on from; None = nowhere.

        Raises:
            DataError: when no history has two events, or one names a row outside the catalogue.
            ConfigError: when `validate` does not give `metric`.
            ArtifactError: when `folder` holds the checkpoint of another run.
        """
        chosen = settings or SasrecSettings()
        rows = [history.item_rows for history in histories]
        popularity = _counts(rows, n_items)
        parts = windows(rows, chosen.history_length)
        if not parts:
            raise DataError(f"none of {len(rows)} histories has two events; a sequence model needs what comes next")

        def figures(network: SasrecNetwork) -> dict[str, float]:
            found = validate(cls(network, popularity, chosen, seed=seed)) if validate else {}
            if metric not in found:
                raise ConfigError(f"the validator gives no {metric!r}; choose one of {', '.join(sorted(found))}")
            return found

        times = [moments(history.timestamps_s) for history in histories]
        network, progress = train_network(
            parts,
            n_items,
            chosen,
            seed=seed,
            figure=figures if validate else None,
            metric=metric,
            folder=folder,
            moments=windows(times, chosen.history_length) if chosen.shuffle_ties else None,
        )
        return cls(network, popularity, chosen, progress, seed=seed)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        scores = np.broadcast_to(self.popularity, (len(requests), len(self.popularity))).copy()
        known = [row for row, request in enumerate(requests) if len(request.history) > 0]
        if known:
            scores[known] = self._scores([requests[row].history for row in known])
        return top_k(scores, k, exclude=[request.exclude for request in requests], seed=self.seed)

    def _scores(self, histories: Sequence[History]) -> FloatArray:
        """Return (B, N) scores of what comes after each of `histories`, none of which is empty."""
        rows, lengths = left_aligned([history.last(self.settings.history_length).item_rows for history in histories])
        with torch.inference_mode():
            newest = self.network(rows, lengths)[torch.arange(len(rows)), lengths - 1]
            scores: FloatArray = (newest @ self.network.item_table.weight.T).numpy()
        return scores


def _counts(rows: Sequence[IntArray], n_items: int) -> FloatArray:
    events = np.concatenate([np.zeros(0, np.int64), *rows])
    if len(events) and not 0 <= events.min() <= events.max() < n_items:
        raise DataError(f"histories name item rows {events.min()} to {events.max()}; rows run from 0 to {n_items - 1}")
    return np.bincount(events, minlength=n_items).astype(np.float32)
