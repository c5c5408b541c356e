"""What every index does with questions and scores. Pure functions on arrays.

Letters: B queries, N items, D embedding, C candidates of one query, K answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trifocal.errors import ConfigError, ServingError
from trifocal.types import FloatArray, IntArray, Rankings, VectorTable

__all__ = ["best_of", "check_table", "checked_queries", "joined", "no_answers"]


def check_table(vectors: VectorTable) -> None:
    """Raise ConfigError when `vectors` is no table (N, D)."""
    if vectors.ndim != 2:
        raise ConfigError(f"item vectors have shape {vectors.shape}, an index needs (items, width)")


def checked_queries(vectors: FloatArray, k: int, exclude: Sequence[IntArray], width: int) -> FloatArray:
    """Return the queries (B, D) as float32.

    Raises:
        ServingError: when `k` is below 1, `vectors` has another width or a value that is no number, or `exclude`
            is neither empty nor one a query.
    """
    if k < 1:
        raise ServingError(f"k is {k}, at least 1 item must be asked for")
    if vectors.ndim != 2 or vectors.shape[1] != width:
        raise ServingError(f"query vectors have shape {vectors.shape}, this index needs (queries, {width})")
    if len(exclude) not in (0, len(vectors)):
        raise ServingError(f"{len(exclude)} lists of rows to leave out came with {len(vectors)} queries; give one each")
    if not np.isfinite(vectors).all():
        raise ServingError("a query vector holds NaN or infinity; every value must be a finite number")
    return np.ascontiguousarray(vectors, dtype=np.float32)


def best_of(rows: IntArray, scores: FloatArray, keys: IntArray, k: int) -> Rankings:
    """Return the `k` best candidates of one query as a ranking (1, K), filled with row -1.

    Args:
        rows: (C,) item rows, each once.
        scores: (C,) their scores; -inf = left out.
        keys: (C,) the order among equal scores.
        k: length of the list.

    >>> best_of(np.array([7, 8, 9]), np.array([1, 3, 3], np.float32), np.array([0, 2, 1]), 2).item_rows.tolist()
    [[9, 8]]
    """
    limit = np.partition(scores, len(scores) - k)[len(scores) - k] if len(scores) > k else -np.inf
    # Candidates equal to the limit stay in the run: only the key decides among them.
    kept = np.flatnonzero((scores >= limit) & (scores > -np.inf))
    order = kept[np.lexsort((keys[kept], -scores[kept]))[:k]]
    answer = no_answers(1, k)
    answer.item_rows[0, : len(order)] = rows[order]
    answer.scores[0, : len(order)] = scores[order]
    return answer


def no_answers(n_queries: int, k: int) -> Rankings:
    """Return lists of no item: rows -1, scores -inf, each (B, K)."""
    return Rankings(np.full((n_queries, k), -1, np.int64), np.full((n_queries, k), -np.inf, np.float32))


def joined(parts: Sequence[Rankings], k: int) -> Rankings:
    """Return the lists of `parts` one below the other."""
    every = [no_answers(0, k), *parts]
    return Rankings(np.concatenate([part.item_rows for part in every]), np.concatenate([part.scores for part in every]))
