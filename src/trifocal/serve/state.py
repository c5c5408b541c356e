"""What is known of each shopper right now: the bundle's history and the store's live events, in a bounded cache."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from trifocal.ports import EventStore, StoredEvent
from trifocal.serve.histories import HistoryCoder, KnownHistories, joined
from trifocal.types import History

__all__ = ["ShopperState"]


class ShopperState:
    """Histories by user id; an event that was recorded changes the next answer. Stability: caller.

    The cache is this process's own: a second process on the same store sees new events only once its entry has left.
    """

    def __init__(
        self,
        known: KnownHistories,
        coder: HistoryCoder,
        store: EventStore,
        *,
        live_limit: int = 200,
        cached: int = 10_000,
    ) -> None:
        """Join the bundle's histories and a store.

        Args:
            known: what the bundle says.
            coder: ids -> rows and codes.
            store: where live events are kept.
            live_limit: newest live events that are read of a shopper.
            cached: how many shoppers' histories are kept in memory.
        """
        self._known, self._coder, self._store = known, coder, store
        self._live_limit, self._size = live_limit, cached
        self._cache: OrderedDict[str, History] = OrderedDict()
        self._writes = 0
        self._lock = Lock()

    def history(self, user_id: str) -> History:
        """Return everything liked, oldest first; empty for a stranger."""
        with self._lock:
            writes = self._writes
            if user_id in self._cache:
                self._cache.move_to_end(user_id)
                return self._cache[user_id]
        live = self._coder.history(self._store.newest(user_id, self._live_limit))
        history = joined(self._known.history(user_id), live)
        with self._lock:
            # An event that came while the store was read may be missing here: then nothing is kept.
            if writes == self._writes:
                self._cache[user_id] = history
                if len(self._cache) > self._size:
                    self._cache.popitem(last=False)
        return history

    def record(self, events: Sequence[StoredEvent]) -> int:
        """Store `events` durably; return how many were new. The next `history` holds them."""
        stored = self._store.append(events)
        with self._lock:
            self._writes += 1
            for event in events:
                self._cache.pop(event.user_id, None)
        return stored

    def knows(self, user_id: str) -> bool:
        """Return whether anything is known of `user_id`."""
        return self._known.count(user_id) > 0 or bool(self._store.newest(user_id, 1))

    def some_shoppers(self, count: int, seed: int | None = None, *, events_min: int = 8) -> list[str]:
        """Return up to `count` random shoppers of the bundle, those with `events_min` events or more before others."""
        generator = random.Random(seed)
        everybody = self._known.user_ids
        sample = generator.sample(everybody, min(len(everybody), 20 * count))
        sample.sort(key=lambda user_id: self._known.count(user_id) < events_min)
        return sample[:count]
