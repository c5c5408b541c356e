"""Rankings and truths -> figures a user; pure functions on arrays. Definitions as in PROTOCOL.md.

Letters: B users, K length of the lists. `hits` (B, K) is True where the item at that place is relevant,
`relevant` (B,) is the number of relevant items of a user. A user without any has 0 in every metric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from trifocal.types import BoolArray, IntArray

__all__ = [
    "METRICS",
    "average_precision",
    "coverage",
    "hit_matrix",
    "ndcg",
    "recall",
    "reciprocal_rank",
    "user_metrics",
]

Values = npt.NDArray[np.float64]


def hit_matrix(item_rows: IntArray, truths: Sequence[IntArray]) -> tuple[BoolArray, IntArray]:
    """Return the hits (B, K) and the number of relevant items (B,).

    Args:
        item_rows: (B, K) rankings, best first, no item twice in a list; -1 fills up and never hits.
        truths: for each user the relevant rows; a repeat counts once.

    >>> hits, relevant = hit_matrix(np.array([[4, 2, -1]]), [np.array([2, 9])])
    >>> hits.tolist(), relevant.tolist()
    ([[False, True, False]], [2])
    """
    distinct = [np.unique(truth) for truth in truths]
    relevant = np.array([len(truth) for truth in distinct], dtype=np.int64)
    owner = np.repeat(np.arange(len(truths)), relevant)
    wanted = np.concatenate([np.zeros(0, np.int64), *distinct])
    # One number a pair of user and item; 1 + the row keeps the filler -1 apart from the last item of the user before.
    width = 2 + max(int(item_rows.max(initial=-1)), int(wanted.max(initial=-1)))
    placed = np.arange(len(item_rows))[:, None] * width + item_rows + 1
    hits: BoolArray = np.isin(placed, owner * width + wanted + 1) & (item_rows >= 0)
    return hits, relevant


def recall(hits: BoolArray, relevant: IntArray, k: int) -> Values:
    """Return Recall@k: relevant items among the first k / relevant items.

    Source: Manning, Raghavan, Schuetze, "Introduction to Information Retrieval", 8.3. The denominator is the number of
    relevant items, not min(k, relevant).

    >>> recall(np.array([[True, False, True]]), np.array([4]), 3).tolist()
    [0.5]
    """
    found: Values = hits[:, :k].sum(axis=1) / np.maximum(relevant, 1)
    return found


def ndcg(hits: BoolArray, relevant: IntArray, k: int) -> Values:
    """Return nDCG@k with binary gain: sum of 1 / log2(place + 1) over hits, divided by that of the best list.

    Source: Jaervelin, Kekaelaeinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002; the discount
    1 / log2(place + 1) as in Burges et al. 2005. The best list has min(k, relevant) hits in front.

    A hit at place 3 of two relevant: (1 / 2) / (1 + 1 / log2 3) = 0.5 / 1.63093.

    >>> ndcg(np.array([[False, False, True]]), np.array([2]), 3).round(5).tolist()
    [0.30657]
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(discount)])
    gain = hits[:, :k] @ discount[: hits.shape[1]]
    ideal = best[np.minimum(relevant, k)]
    found: Values = np.divide(gain, ideal, out=np.zeros(len(hits)), where=ideal > 0)
    return found


def average_precision(hits: BoolArray, relevant: IntArray, k: int) -> Values:
    """Return AP@k, whose mean over users is MAP@k: sum of precision at each hit / min(k, relevant).

    Source: Manning, Raghavan, Schuetze, 8.4; the denominator min(k, relevant) as in the Kaggle and RecSys challenges.

    Hits at places 1 and 3 of two relevant: (1/1 + 2/3) / 2 = 5/6.

    >>> average_precision(np.array([[True, False, True]]), np.array([2]), 3).round(4).tolist()
    [0.8333]
    """
    first = hits[:, :k]
    precision = np.cumsum(first, axis=1) / np.arange(1, first.shape[1] + 1)
    found: Values = (precision * first).sum(axis=1) / np.maximum(np.minimum(relevant, k), 1)
    return found


def reciprocal_rank(hits: BoolArray, relevant: IntArray, k: int) -> Values:
    """Return 1 / place of the first hit among the first k, 0 without one; its mean over users is MRR.

    Source: Voorhees, "The TREC-8 Question Answering Track Report", 1999.

    >>> reciprocal_rank(np.array([[False, True, True], [False, False, False]]), np.array([2, 1]), 3).tolist()
    [0.5, 0.0]
    """
    first = hits[:, :k]
    return np.where(first.any(axis=1), 1 / (1 + first.argmax(axis=1)), 0.0) if first.shape[1] else np.zeros(len(hits))


def coverage(item_rows: IntArray, candidates: int) -> float:
    """Return the share of `candidates` items that stand in at least one of the lists (B, K).

    >>> coverage(np.array([[0, 1], [1, -1]]), 4)
    0.5
    """
    return len(np.unique(item_rows[item_rows >= 0])) / max(candidates, 1)


Metric = Callable[[BoolArray, IntArray, int], Values]

METRICS: dict[str, tuple[Metric, int | None]] = {
    "recall@10": (recall, 10),
    "recall@20": (recall, 20),
    "recall@50": (recall, 50),
    "ndcg@10": (ndcg, 10),
    "ndcg@20": (ndcg, 20),
    "map@20": (average_precision, 20),
    "mrr": (reciprocal_rank, None),
}
"""Name -> function and its k; None = the whole list."""


def user_metrics(item_rows: IntArray, truths: Sequence[IntArray]) -> dict[str, Values]:
    """Return every one of `METRICS` that lists of this length allow, a (B,) array each."""
    hits, relevant = hit_matrix(item_rows, truths)
    length = item_rows.shape[1]
    return {
        name: metric(hits, relevant, length if k is None else k)
        for name, (metric, k) in METRICS.items()
        if k is None or k <= length
    }
