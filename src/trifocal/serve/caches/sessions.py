"""Histories by shopper, kept decoded in this process and coded on a shared server. Knows neither store nor bundle.

On the server a shopper has a stamp, a random word that every recorded event replaces, and histories under
`(model version, config, shopper, stamp)`. A history is read from the store after its stamp was set, so one that lacks
an event stands under a stamp that this event has replaced, and is never read again:

```
reader   stamp a ---- read the store ------------------ keep under a     (nobody reads a any more)
writer                      append the event -- stamp b
```

The stamp names no model: an event changes a shopper for every bundle that runs.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from threading import Lock

from trifocal.errors import ArtifactError
from trifocal.ports import Cache, CacheStats
from trifocal.serve.caches.history_code import columns_of, decode_history, encode_history
from trifocal.serve.caches.keys import cache_key, cache_prefix
from trifocal.serve.caches.lru import Lru
from trifocal.serve.caches.writes import WriteCounts
from trifocal.types import History

__all__ = ["HISTORY_OVERHEAD_BYTES", "SessionCache"]

_LOGGER = logging.getLogger(__name__)

# Python's own objects around a history's arrays: CPython 3.11 with numpy 2.4 takes up to 1,008 (tracemalloc, 12,000).
HISTORY_OVERHEAD_BYTES = 1_050
_STAMP_BYTES = 8


class SessionCache:
    """Reads through to a loader; an event that was recorded changes the next history. Stability: internal.

    Without a shared level an event that another process recorded is seen once the entry here has left; with one,
    after `fresh_s`. While the server is away this process reads the store itself once every `fresh_s`.
    """

    def __init__(
        self,
        limit_bytes: int,
        *,
        shared: Cache | None = None,
        model_version: str = "",
        config_hash: str = "",
        shared_rows: int | None = None,
        fresh_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep nothing yet.

        Args:
            limit_bytes: of arrays, ids and `HISTORY_OVERHEAD_BYTES` an entry in this process.
            shared: the second level, or None.
            model_version: of the bundle whose rows the histories hold; a shared level needs it.
            config_hash: of the settings that histories depend on.
            shared_rows: only histories of rows below this are shared, or None = all; items that were added to the
                running service may have other rows in another process.
            fresh_s: with a shared level, seconds that a history is used before the level is asked again.
            clock: seconds, never going back.

        Raises:
            ConfigError: when there is a shared level and no model version.
        """
        self._memory = Lru[History](limit_bytes, ttl_s=None if shared is None else fresh_s, clock=clock)
        self._shared, self._shared_rows = shared, shared_rows
        self._versions = (model_version, config_hash)
        if shared is not None:
            cache_prefix("session", *self._versions)
        self._writes = WriteCounts()
        self._lock = Lock()

    def history(self, user_id: str, load: Callable[[], History]) -> History:
        """Return the shopper's history from the nearest level, or from `load`, and keep it."""
        history = self._memory.get(user_id)
        if history is not None:
            return history
        writes = self._writes.count(user_id)
        history = load() if self._shared is None else self._from_shared(self._shared, user_id, load)
        with self._lock:
            # An event that came while the store was read may be missing here: then nothing is kept.
            if writes == self._writes.count(user_id):
                self._memory.put(user_id, history, _size_bytes(user_id, history))
        return history

    def changed(self, user_ids: Iterable[str]) -> None:
        """Forget these shoppers' histories, on every level; called after their events were stored."""
        for user_id in set(user_ids):
            # The shared level first: a reader that comes in between is caught by the count below.
            if self._shared is not None:
                self._shared.put(_stamp_key(user_id), _new_stamp())
            with self._lock:
                self._writes.add(user_id)
                self._memory.drop(user_id)

    def forget(self, user_id: str) -> bool:
        """Delete all that is kept of the shopper under this model; return whether every level did."""
        self.changed([user_id])
        if self._shared is None:
            return True
        return self._shared.drop_matching(cache_prefix("session", *self._versions, user_id))

    def clear(self) -> None:
        """Forget everything in this process, as when the vocabulary grew; the shared level stays."""
        with self._lock:
            self._writes.add_all()
            self._memory.drop_matching("")

    def stats(self) -> tuple[CacheStats, ...]:
        """Return the counts of this process's histories, then those of the shared level: stamps and histories."""
        return (self._memory.stats(), *(() if self._shared is None else self._shared.stats()))

    def _from_shared(self, shared: Cache, user_id: str, load: Callable[[], History]) -> History:
        stamp = _stamp(shared, user_id)
        if stamp is None:
            return load()
        key = cache_key("session", *self._versions, user_id, stamp)
        history = _decoded(shared, key)
        if history is None:
            history = load()
            if self._may_share(history):
                shared.put(key, encode_history(history))
        return history

    def _may_share(self, history: History) -> bool:
        return self._shared_rows is None or not len(history) or int(history.item_rows.max()) < self._shared_rows


def _stamp_key(user_id: str) -> str:
    return cache_key("events", "any", "", user_id)


def _new_stamp() -> bytes:
    return secrets.token_hex(_STAMP_BYTES).encode()


def _stamp(shared: Cache, user_id: str) -> str | None:
    """Return the shopper's stamp, a new one where there is none, or None where the level is away."""
    key = _stamp_key(user_id)
    stamp = shared.get(key)
    if stamp is None:
        stamp = _new_stamp()
        if not shared.put(key, stamp):
            return None
    return stamp.decode("ascii", "replace")


def _decoded(shared: Cache, key: str) -> History | None:
    data = shared.get(key)
    if data is None:
        return None
    try:
        return decode_history(data)
    except ArtifactError as error:
        _LOGGER.warning("the shared cache holds a history that cannot be read, the store is: %s", error)
        shared.drop(key)
        return None


def _size_bytes(user_id: str, history: History) -> int:
    arrays = sum(column.nbytes for column in columns_of(history))
    return len(user_id.encode("utf-8", "surrogatepass")) + arrays + HISTORY_OVERHEAD_BYTES
