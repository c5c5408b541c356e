"""A user who is deleted: from the event store, from every cache, and from what the bundle knew."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from trifocal.ports import ItemStore
from trifocal.serve.current import Current

__all__ = ["Forgotten", "LiveUsers"]


@dataclass(frozen=True)
class Forgotten:
    """What became of a user: `events` that were deleted; `caches` = no cache, here or shared, holds anything more."""

    events: int
    caches: bool


class LiveUsers:
    """Forgets users. Safe to use from several threads. Stability: caller."""

    def __init__(
        self,
        current: Current,
        store: ItemStore,
        clock: Callable[[], float] = time.time,
        *,
        forget: Callable[[str], None] = lambda _user_id: None,
    ) -> None:
        """Take who has to forget.

        Args:
            current: holds the service.
            store: notes who is forgotten, for later starts, bundles and trainings; the caller closes it.
            clock: seconds since 1970, UTC.
            forget: told the id; whoever remembers shoppers beside the service.
        """
        self._current, self._store, self._clock, self._forget = current, store, clock, forget

    def delete(self, user_id: str) -> Forgotten:
        """Forget all that the user did up to now; what comes later is of somebody new. Again does no harm."""
        # The note first: a server that dies in between goes on forgetting when it starts.
        self._store.forget_user(user_id, self._clock())
        service = self._current.service
        events, sessions = service.state.forget(user_id)
        self._forget(user_id)
        return Forgotten(events, service.forget_answers(user_id) and sessions)
