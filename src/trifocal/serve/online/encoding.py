"""Questions -> user vectors: by the exported tower in ONNX Runtime, or by its plain twin in PyTorch.

Letters: B questions, L history length, D embedding size, W text width.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch

from trifocal.features.sequences import user_arrays, user_batch
from trifocal.model.online_tower import INPUTS
from trifocal.model.user_tower import UserTower
from trifocal.types import FloatArray, FloatRows, IntArray, Request

__all__ = ["OnnxUsers", "TorchUsers", "UserEncoding"]


class UserEncoding(Protocol):
    """Who asks, as vectors. Stability: caller."""

    def user_vectors(self, requests: Sequence[Request], vectors: FloatRows) -> FloatArray:
        """Return (B, D) user vectors.

        Args:
            requests: who asks.
            vectors: (N, D) item vectors that the histories point into.
        """
        ...

    def with_prices(self, codes: IntArray) -> UserEncoding:
        """Return the same encoding with the price buckets (N,) of all items, those that joined among them."""
        ...


class TorchUsers:
    """The tower as it was trained: the reference. Stability: internal."""

    def __init__(self, tower: UserTower, *, history_length: int, text_width: int) -> None:
        self._tower = tower.eval()
        self._history_length, self._text_width = history_length, text_width

    def user_vectors(self, requests: Sequence[Request], vectors: FloatRows) -> FloatArray:
        """See `UserEncoding`."""
        users = user_batch(requests, self._history_length, self._text_width)
        with torch.inference_mode():
            found: FloatArray = self._tower.last(users, torch.from_numpy(_whole(vectors))).numpy()
        return found

    def with_prices(self, codes: IntArray) -> TorchUsers:
        """Return itself: the tower has the prices that it was trained with, and none of items that came later."""
        return self


class OnnxUsers:
    """The exported tower. Stability: internal."""

    def __init__(
        self,
        session: Any,
        *,
        history_length: int,
        text_width: int,
        prices: IntArray,
    ) -> None:
        """Take an `InferenceSession` of `OnlineTower`.

        Args:
            session: with the inputs `INPUTS`.
            history_length: L at most.
            text_width: W.
            prices: (N0,) price buckets of the items of the training; later ones count as unknown.
        """
        self._session = session
        self._history_length, self._text_width, self._prices = history_length, text_width, prices

    def user_vectors(self, requests: Sequence[Request], vectors: FloatRows) -> FloatArray:
        """See `UserEncoding`."""
        # At least one place, which may be padding: an empty axis is more than an exporter promises.
        users = user_arrays(requests, self._history_length, self._text_width, least_length=1)
        rows, mask = users.item_rows, users.mask
        asked = users.query_rows.max(axis=1)
        values = (
            vectors[rows] * mask[..., None],
            mask.astype(np.float32),
            users.event_codes,
            users.context,
            self._price_codes(rows),
            users.query_vectors[asked],
            (asked > 0).astype(np.float32),
        )
        found: FloatArray = self._session.run(None, dict(zip(INPUTS, values, strict=True)))[0]
        return found

    def with_prices(self, codes: IntArray) -> OnnxUsers:
        """See `UserEncoding`."""
        other = copy.copy(self)
        other._prices = codes if len(self._prices) else self._prices
        return other

    def _price_codes(self, rows: IntArray) -> IntArray:
        if not len(self._prices):
            return np.zeros_like(rows)
        known = rows < len(self._prices)
        return np.where(known, self._prices[rows * known], 0)


def _whole(vectors: FloatRows) -> FloatArray:
    return vectors if isinstance(vectors, np.ndarray) else vectors[np.arange(len(vectors))]
