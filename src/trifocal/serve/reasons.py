"""Why each answered item: the item of the user's own history that is most alike. Pure; a few microseconds an item."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trifocal.serve.asks import Reason
from trifocal.serve.catalogue import Catalogue
from trifocal.types import FloatRows, IntArray, Rankings, Request

__all__ = ["reasons"]

# Newest events that an item is compared with.
_READ = 50


def reasons(
    request: Request, ranking: Rankings, vectors: FloatRows | None, catalogue: Catalogue, *, by_model: bool
) -> Sequence[Reason | None]:
    """Return a reason for each place of `ranking` (1, K).

    Args:
        request: whose history counts.
        ranking: the answer.
        vectors: (N, D) item vectors, or None = they may not be read, so that no item of the history is named.
        catalogue: names the items.
        by_model: False = the popular items stood in.
    """
    size = ranking.item_rows.shape[1]
    history = request.history.item_rows[-_READ:]
    # What reads no vectors reads no query either.
    if request.context.query_vector is not None and by_model and vectors is not None:
        return [Reason("query")] * size
    if not by_model or not len(history):
        return [Reason("popular")] * size
    if vectors is None:
        return [Reason("history")] * size
    nearest = history[_alike(vectors, ranking, history)]
    ids = catalogue.vocabulary.ids
    return [Reason("history", ids[row], catalogue.title(row)) for row in nearest.tolist()]


def _alike(vectors: FloatRows, ranking: Rankings, history: IntArray) -> IntArray:
    """(K,) places in `history` of the greatest cosine; the newest of equals."""
    taken = vectors[history[::-1]]
    unit = taken / np.maximum(np.linalg.norm(taken, axis=1, keepdims=True), 1e-9)
    places: IntArray = len(history) - 1 - (vectors[ranking.item_rows[0]] @ unit.T).argmax(axis=1)
    return places
