"""The endpoints that change items: wire -> live items -> wire. Async only here, at the edge."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from trifocal.errors import ServingError
from trifocal.serve.current import Current
from trifocal.serve.keys import Keys
from trifocal.serve.live.items import Done, LiveItems
from trifocal.serve.live.pictures import read_picture
from trifocal.serve.live_wire import ItemBody, ItemDone, ItemGone, OfferBody
from trifocal.serve.wire import Failure
from trifocal.serve.workers import Workers

__all__ = ["ItemsApi"]

_Id = Annotated[str, Path(min_length=1, max_length=200)]


class ItemsApi:
    """Routes that change items. Stability: internal."""

    def __init__(self, current: Current, items: LiveItems, workers: Workers) -> None:
        self._current, self._items, self._workers = current, items, workers

    def router(self, keys: Keys) -> APIRouter:
        """Return the routes; they need a key to write, where there are keys."""
        missing: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "Unknown item"}}
        router = APIRouter(tags=["items"], dependencies=keys.needed("write"))
        router.put("/v1/items/{item_id:path}")(self.put)
        router.patch("/v1/items/{item_id:path}", responses=missing)(self.patch)
        router.delete("/v1/items/{item_id:path}")(self.delete)
        return router

    async def put(self, item_id: _Id, body: ItemBody) -> ItemDone:
        """Add an item, or put it in the place of the one of this id; the next request finds and recommends it."""
        done = await self._workers.run(self._put, item_id, body)
        return ItemDone.of(done, durable=self._items.is_durable)

    async def patch(self, item_id: _Id, body: OfferBody) -> ItemDone:
        """Change the price or the availability of an item."""
        done = await self._workers.run(self._items.offer, item_id, price=body.price, available=body.available)
        return ItemDone.of(done, durable=self._items.is_durable)

    async def delete(self, item_id: _Id) -> ItemGone:
        """Delete an item: it is never answered again. A second time does no harm."""
        deleted = await self._workers.run(self._items.delete, item_id)
        return ItemGone(item_id=item_id, deleted=deleted, durable=self._items.is_durable)

    def _put(self, item_id: str, body: ItemBody) -> Done:
        picture = body.picture
        if body.picture_address is not None:
            if picture is not None:
                raise ServingError("the item has both `picture` and `picture_address`; send one of them")
            service = self._current.service
            picture = read_picture(body.picture_address, service.image_root, service.config.live)
        return self._items.put(body.item(item_id), picture)
