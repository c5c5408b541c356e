"""The last good list of each user: what is answered while the model is away. Bounded; knows no HTTP.

A list is good when the model was healthy: new ones are set apart until somebody who checks the model confirms them, or
finds it broken and drops them. Where nobody checks, a new list is taken as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np
import numpy.typing as npt

from trifocal.types import Rankings, Request

__all__ = ["LastLists"]

# As many as one answer holds at most.
_LONGEST = 100


class LastLists:
    """Rows by user id, newest kept; the exclusion of the present question holds. Safe to use from several threads."""

    def __init__(self, kept: int = 50_000) -> None:
        """Keep the lists of at most `kept` users: 100 rows of 4 bytes each are 20 MB."""
        self._kept, self._lock = kept, Lock()
        self._good: OrderedDict[str, npt.NDArray[np.int32]] = OrderedDict()
        self._new: OrderedDict[str, npt.NDArray[np.int32]] = OrderedDict()

    def keep(self, request: Request, ranking: Rankings) -> None:
        """Remember what a user with a name could be answered: more than was asked, so that enough is left later."""
        if request.user_id is None:
            return
        rows = ranking.item_rows[0]
        with self._lock:
            self._put(self._new, request.user_id, rows[rows >= 0][:_LONGEST].astype(np.int32))

    def confirm(self) -> None:
        """Take the new lists for good ones: the model that made them is healthy."""
        with self._lock:
            for user_id, rows in self._new.items():
                self._put(self._good, user_id, rows)
            self._new.clear()

    def drop_new(self) -> int:
        """Forget the lists that were not confirmed; return how many there were. Older good ones stay."""
        with self._lock:
            dropped = len(self._new)
            self._new.clear()
        return dropped

    def _put(self, lists: OrderedDict[str, npt.NDArray[np.int32]], user_id: str, rows: npt.NDArray[np.int32]) -> None:
        lists[user_id] = rows
        lists.move_to_end(user_id)
        if len(lists) > self._kept:
            lists.popitem(last=False)

    def list(self, request: Request, k: int) -> Rankings:
        """Return what is left of the user's last list, at most `k`, best first; empty for who has none."""
        with self._lock:
            user_id = request.user_id or ""
            found = self._new.get(user_id, self._good.get(user_id))
        rows = np.zeros(0, np.int64) if found is None else found.astype(np.int64)
        left = rows[~np.isin(rows, request.exclude)][:k]
        return Rankings(left[None], -np.arange(len(left), dtype=np.float32)[None])

    def forget(self, user_id: str) -> None:
        """Drop the list of a user who is deleted."""
        with self._lock:
            self._new.pop(user_id, None)
            self._good.pop(user_id, None)
