"""The endpoint that deletes a user. Async only here, at the edge."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from trifocal.serve.keys import Keys
from trifocal.serve.live.users import LiveUsers
from trifocal.serve.live_wire import UserGone
from trifocal.serve.workers import Workers

__all__ = ["UsersApi"]

_Id = Annotated[str, Path(min_length=1, max_length=200)]


class UsersApi:
    """Routes that change users. Stability: internal."""

    def __init__(self, users: LiveUsers, workers: Workers, *, durable: bool) -> None:
        self._users, self._workers, self._durable = users, workers, durable

    def router(self, keys: Keys) -> APIRouter:
        """Return the routes; they need a key to write, where there are keys."""
        router = APIRouter(tags=["users"], dependencies=keys.needed("write"))
        router.delete("/v1/users/{user_id:path}")(self.delete)
        return router

    async def delete(self, user_id: _Id) -> UserGone:
        """Forget all that a user did: events, caches, and what the bundle knew. A second time does no harm."""
        gone = await self._workers.run(self._users.delete, user_id)
        return UserGone(user_id=user_id, events=gone.events, caches=gone.caches, durable=self._durable)
