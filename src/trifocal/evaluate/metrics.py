"""Rankings and truths -> figures a user; pure functions on arrays. Definitions as in PROTOCOL.md.

Letters: B users, K length of the lists. `hits` (B, K) is True where the item at that place is relevant,
`relevant` (B,) is the number of relevant items of a user. A user without any has 0 in every metric of accuracy.
Coverage, Gini and novelty ask for no truth: they say what is shown, not whether it is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from trifocal.errors import DataError
from trifocal.types import BoolArray, IntArray

__all__ = [
    "METRICS",
    "average_precision",
    "coverage",
    "gini",
    "hit_matrix",
    "list_novelty",
    "ndcg",
    "novelty",
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

    Source: Ge, Delgado-Battenfeld, Jannach, "Beyond accuracy: evaluating recommender systems by coverage and
    serendipity", RecSys 2010 ("catalog coverage"). The filler -1 is no item.

    >>> coverage(np.array([[0, 1], [1, -1]]), 4)
    0.5
    """
    return len(np.unique(item_rows[item_rows >= 0])) / max(candidates, 1)


def gini(item_rows: IntArray, candidates: int) -> float:
    """Return how unequally the places of all lists (B, K) fall to the `candidates` items: 0 equally, 1 all to one.

    With x_1 <= ... <= x_n how often each of the n candidates is shown, those never shown included:
    sum of (2 i - n - 1) x_i / ((n - 1) sum of x_i).
    Source: Shani, Gunawardana, "Evaluating Recommendation Systems", Recommender Systems Handbook, 2011.
    One candidate alone has 0, nothing shown is nan.

    Four candidates shown 0, 0, 1 and 3 times: (1 * 1 + 3 * 3) / (3 * 4) = 10 / 12.

    >>> round(gini(np.array([[7, 2], [7, -1], [7, -1]]), 4), 4)
    0.8333

    Args:
        item_rows: (B, K) lists; the filler -1 is no item.
        candidates: n, the number of items that may be recommended.

    Raises:
        DataError: when more different items are shown than there are candidates.
    """
    shown = np.sort(np.unique(item_rows[item_rows >= 0], return_counts=True)[1])
    if len(shown) > candidates:
        raise DataError(f"the lists show {len(shown)} items of {candidates} candidates; count every item shown")
    if not len(shown):
        return math.nan
    # Those never shown stand first and add nothing.
    places = np.arange(candidates - len(shown) + 1, candidates + 1)
    return float((2 * places - candidates - 1) @ shown / (max(candidates - 1, 1) * shown.sum()))


def list_novelty(item_rows: IntArray, popularity_counts: IntArray, users: int) -> Values:
    """Return how surprising the items of each list are, in bits (B,): the mean of -log2 p(item) over its places.

    p is the share of training users who have the item. An item that nobody has counts as if one user had it, so that
    the greatest novelty is log2(users). A list without an item is nan.
    Source: Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 2010,
    "self-information"; Vargas, Castells, "Rank and relevance in novelty and diversity metrics", RecSys 2011, with
    every place of equal weight.

    Of 8 users 2 have item 0 and nobody item 1: (-log2(2 / 8) - log2(1 / 8)) / 2 = (2 + 3) / 2.

    >>> list_novelty(np.array([[0, 1], [0, -1]]), np.array([2, 0]), 8).tolist()
    [2.5, 2.0]

    Args:
        item_rows: (B, K) lists; the filler -1 is no item.
        popularity_counts: (N,) for each item the training users who have it, 0..users.
        users: of the training events, at least 1.

    Raises:
        DataError: when an item has more users than there are.
    """
    most = int(popularity_counts.max(initial=0))
    if users < max(most, 1):
        raise DataError(f"{users} users, an item is counted {most} times; count each user of an item once")
    bits = np.log2(users) - np.log2(np.maximum(popularity_counts, 1))
    shown = item_rows >= 0
    total = np.where(shown, bits[item_rows], 0.0).sum(axis=1)
    length = shown.sum(axis=1)
    found: Values = np.divide(total, length, out=np.full(len(item_rows), np.nan), where=length > 0)
    return found


def novelty(item_rows: IntArray, popularity_counts: IntArray, users: int) -> float:
    """Return the mean of `list_novelty` over the lists that show anything; nan where none does.

    >>> novelty(np.array([[0, 1], [0, -1], [-1, -1]]), np.array([2, 0]), 8)
    2.25
    """
    values = list_novelty(item_rows, popularity_counts, users)
    found = values[~np.isnan(values)]
    return float(found.mean()) if len(found) else math.nan


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
