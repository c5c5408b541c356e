"""The last good list of each user: what is answered while the model is away. Bounded; knows no HTTP."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np
import numpy.typing as npt

from trifocal.types import Rankings, Request

__all__ = ["LastLists"]


class LastLists:
    """Rows by user id, newest kept; the exclusion of the present question holds. Safe to use from several threads."""

    def __init__(self, kept: int = 50_000) -> None:
        """Keep the lists of at most `kept` users: 100 rows of 4 bytes each are 20 MB."""
        self._kept, self._lock = kept, Lock()
        self._lists: OrderedDict[str, npt.NDArray[np.int32]] = OrderedDict()

    def keep(self, request: Request, ranking: Rankings) -> None:
        """Remember what a user with a name was answered."""
        if request.user_id is None:
            return
        rows = ranking.item_rows[0]
        with self._lock:
            self._lists[request.user_id] = rows[rows >= 0].astype(np.int32)
            self._lists.move_to_end(request.user_id)
            if len(self._lists) > self._kept:
                self._lists.popitem(last=False)

    def list(self, request: Request, k: int) -> Rankings:
        """Return what is left of the user's last list, at most `k`, best first; empty for who has none."""
        with self._lock:
            found = self._lists.get(request.user_id or "")
        rows = np.zeros(0, np.int64) if found is None else found.astype(np.int64)
        left = rows[~np.isin(rows, request.exclude)][:k]
        return Rankings(left[None], -np.arange(len(left), dtype=np.float32)[None])

    def forget(self, user_id: str) -> None:
        """Drop the list of a user who is deleted."""
        with self._lock:
            self._lists.pop(user_id, None)
