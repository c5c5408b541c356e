"""What is known of each shopper right now: the bundle's history and the store's live events, cached."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from trifocal.errors import TrifocalError
from trifocal.ports import Cache, CacheStats, EventStore, StoredEvent
from trifocal.serve.caches.keys import config_hash
from trifocal.serve.caches.sessions import SessionCache
from trifocal.serve.histories import HistoryCoder, KnownHistories, joined
from trifocal.serve.statuses import UnavailableError
from trifocal.types import History, Vocabulary

__all__ = ["ShopperState"]

_LOGGER = logging.getLogger(__name__)

# Past so many unknown items every history is read anew when one joins.
_UNKNOWN_MOST = 100_000


class ShopperState:
    """Histories by user id; an event that was recorded changes the next answer. Stability: caller.

    Without a shared cache a second process on the same store sees new events only once its entry has left; with one,
    after `fresh_s`.
    """

    def __init__(
        self,
        known: KnownHistories,
        coder: HistoryCoder,
        store: EventStore,
        *,
        live_limit: int = 200,
        session_bytes: int = 64 * 1024 * 1024,
        shared: Cache | None = None,
        model_version: str = "",
        fresh_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Join the bundle's histories and a store.

        Args:
            known: what the bundle says.
            coder: ids -> rows and codes.
            store: where live events are kept.
            live_limit: newest live events that are read of a shopper.
            session_bytes: memory for histories in this process.
            shared: second level of the cache, or None; its services must have one event store.
            model_version: of the bundle; a shared level needs it.
            fresh_s: with a shared level, how long an event that another process recorded may stay unseen.
            clock: seconds, never going back.

        Raises:
            ConfigError: when there is a shared level and no model version.
        """
        self._known, self._coder, self._store = known, coder, store
        self._live_limit = live_limit
        # Items that somebody did something with, and that may join later.
        self._unknown: set[str] = set()
        self._sessions = SessionCache(
            session_bytes,
            shared=shared,
            model_version=model_version,
            config_hash=config_hash(live_limit),
            # An item that joins the running service later may have another row in another process.
            shared_rows=len(coder.vocabulary),
            fresh_s=fresh_s,
            clock=clock,
        )

    @property
    def store(self) -> EventStore:
        """Where live events are kept."""
        return self._store

    def history(self, user_id: str) -> History:
        """Return everything liked, oldest first; empty for a stranger. Where the store fails, what the bundle says."""
        try:
            return self._sessions.history(user_id, lambda: self._load(user_id))
        except Exception as error:  # noqa: BLE001 - whatever breaks the store, a shopper still gets an answer
            _LOGGER.error("the event store cannot be read, live events do not count: %s", error)
            return joined(self._known.history(user_id), self._coder.history([]))

    def record(self, events: Sequence[StoredEvent]) -> int:
        """Store `events` durably; return how many were new. The next `history` holds them.

        Raises:
            UnavailableError: when the store failed; the same events can be sent again.
        """
        try:
            return self._store.append(events)
        except TrifocalError:
            raise
        except Exception as error:
            _LOGGER.exception("%d events could not be stored", len(events))
            raise UnavailableError(
                f"the event store failed ({type(error).__name__}), none of the {len(events)} events is promised; "
                "send them again under the same ids"
            ) from error
        finally:
            # Also where the store raised: it may have kept the events before it did.
            self._sessions.changed(event.user_id for event in events)

    def forget(self, user_id: str) -> tuple[int, bool]:
        """Delete all that is known of the shopper; return how many events, and whether every cache did."""
        events = self._known.forget(user_id) + self._store.forget(user_id)
        return events, self._sessions.forget(user_id)

    def forget_known(self, user_id: str, until_s: float) -> None:
        """Delete what the bundle says that the shopper did up to `until_s`: what came later is of somebody new."""
        self._known.forget(user_id, until_s)

    def grow(self, vocabulary: Vocabulary) -> None:
        """Know the items of `vocabulary` from now on; who did something with one of them before is read anew."""
        joined = vocabulary.ids[len(self._coder.vocabulary) :]
        self._coder = replace(self._coder, vocabulary=vocabulary)
        if self._unknown & set(joined) or len(self._unknown) >= _UNKNOWN_MOST:
            self._unknown -= set(joined)
            self.clear()

    def clear(self) -> None:
        """Forget this process's histories, as after the vocabulary grew."""
        self._sessions.clear()

    def stats(self) -> tuple[CacheStats, ...]:
        """Return the counts of each level of the cache, nearest first."""
        return self._sessions.stats()

    def known_history(self, user_id: str) -> History:
        """Return what the bundle says that the shopper liked, oldest first; live events do not count."""
        return self._known.history(user_id)

    def is_in_bundle(self, user_id: str) -> bool:
        """Return whether the bundle knows the shopper."""
        return self._known.count(user_id) > 0

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

    def _load(self, user_id: str) -> History:
        while True:
            coder = self._coder
            events = self._store.newest(user_id, self._live_limit)
            unknown = {event.item_id for event in events if coder.vocabulary.row(event.item_id) is None}
            if unknown and len(self._unknown) < _UNKNOWN_MOST:
                self._unknown |= unknown
            # An item that joined in between may be one of them, and was not looked for among them.
            if coder is self._coder:
                return joined(self._known.history(user_id), coder.history(events))
