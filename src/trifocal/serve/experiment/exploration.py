"""One place of a list, left to chance now and then, so that what is not shown can be learned about. Pure.

The chance of every item at its place is known and goes out with the answer: from logged propensities, another model
can be judged before anybody sees it. With share e of the answers explored, slot s and the n items behind the list:

```
place         item                               propensity
other than s  the model's                        1
s             the model's                        1 - e
s             one of the n behind, all alike     e / n
```

so that the chances at s sum to 1. n is `among`, or less where retrieval found less. Where nothing is behind the list,
or it ends before s, nothing is explored and every propensity is 1. Only answers of the rung `full` are explored.

Letters: K length of the list.
"""

from __future__ import annotations

import numpy as np

from trifocal.serve.experiment.config import ExplorationConfig
from trifocal.types import IntArray, Rankings

__all__ = ["explored"]


def explored(
    shown: Rankings, ranking: Rankings, exploration: ExplorationConfig, drawn: float
) -> tuple[Rankings, tuple[float, ...]]:
    """Return the list with its slot filled by chance, and the (K,) propensities of its places.

    Args:
        shown: (1, K) the list as the model has it.
        ranking: (1, K or more) everything retrieved, best first.
        exploration: how often, where, among how many.
        drawn: uniform in 0..1; below the share it chooses among those behind the list, else the list stays.

    A fifth of the answers has another item at place 2; .1 is the middle of that fifth, so the second of the two behind:

    >>> found = Rankings(np.array([[7, 8, 9, 5]]), np.array([[4.0, 3.0, 2.0, 1.0]], np.float32))
    >>> head = Rankings(found.item_rows[:, :2], found.scores[:, :2])
    >>> at_two = ExplorationConfig(share=0.2, slot=2, among=20)
    >>> filled, chances = explored(head, found, at_two, 0.1)
    >>> filled.item_rows.tolist(), chances
    ([[7, 5]], (1.0, 0.1))
    >>> stayed, chances = explored(head, found, at_two, 0.2)
    >>> stayed.item_rows.tolist(), chances
    ([[7, 8]], (1.0, 0.8))
    """
    rows, share, place = shown.item_rows[0], exploration.share, exploration.slot - 1
    chances = [1.0] * len(rows)
    if share <= 0 or place >= len(rows) or rows[place] < 0:
        return shown, tuple(chances)
    behind = _behind(rows, ranking.item_rows[0], exploration.among)
    if not len(behind):
        return shown, tuple(chances)
    if drawn >= share:
        chances[place] = 1 - share
        return shown, tuple(chances)
    chances[place] = share / len(behind)
    # Rounding may lead to the end itself.
    chosen = behind[min(int(drawn / share * len(behind)), len(behind) - 1)]
    return _placed(shown, ranking, place, int(chosen)), tuple(chances)


def _behind(rows: IntArray, every: IntArray, most: int) -> IntArray:
    """Places in `every` of the first `most` real rows that are not among `rows`."""
    return np.flatnonzero((every >= 0) & ~np.isin(every, rows))[:most]


def _placed(shown: Rankings, ranking: Rankings, place: int, chosen: int) -> Rankings:
    rows, scores = shown.item_rows.copy(), shown.scores.copy()
    rows[0, place], scores[0, place] = ranking.item_rows[0, chosen], ranking.scores[0, chosen]
    return Rankings(rows, scores)
