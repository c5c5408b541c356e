"""The page of an item, and what its buttons do where no script runs."""

from __future__ import annotations

import time
import uuid
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from trifocal.errors import ServingError, TrifocalError
from trifocal.ports import StoredEvent
from trifocal.serve.asks import Answer, Ask, SessionEvent
from trifocal.serve.current import Current
from trifocal.serve.engines import WholeEngine
from trifocal.serve.metrics import Metrics
from trifocal.serve.service import Service
from trifocal.serve.storefront.drawing import Drawing
from trifocal.serve.storefront.feed_pages import FeedPages
from trifocal.serve.storefront.forms import check_own_form, form_fields
from trifocal.serve.storefront.lists import Shelf, shelf
from trifocal.serve.storefront.visitors import Visitor, address, visitor_of
from trifocal.serve.workers import Workers

__all__ = ["ProductPages"]

_SIMILAR, _TAKEN_WITH = 12, 6
_ACTS = ("cart", "purchase")
_ID_MOST = 200

_Id = Annotated[str, Query(min_length=1, max_length=200)]
_OptionalId = Annotated[str | None, Query(max_length=200)]


class ProductPages:
    """Routes of items. Stability: internal."""

    def __init__(self, drawing: Drawing, current: Current, workers: Workers, metrics: Metrics, feed: FeedPages) -> None:
        self._drawing, self._current, self._workers, self._metrics = drawing, current, workers, metrics
        self._feed = feed

    async def item(
        self,
        request: Request,
        id: _Id,  # noqa: A002 - the address's own word
        shopper: _OptionalId = None,
        did: _OptionalId = None,
    ) -> HTMLResponse:
        """Show an item, what is like it, and what the visitor may like next."""
        visitor = visitor_of(request, shopper)
        values = await self._workers.run(self._values, visitor, id)
        return self._drawing.page("item.html", visitor, {**values, "did": did if did in _ACTS else None})

    async def act(self, request: Request) -> RedirectResponse:
        """Note what the visitor did with an item, where no script does; then show the item again."""
        check_own_form(request.headers)
        fields = form_fields(request.headers.get("content-type", ""), await request.body())
        given = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
        visitor = visitor_of(request, given.get("shopper") or None)
        item_id, event = given.get("item", ""), given.get("event", "")
        if event not in _ACTS or len(visitor.user_id) > _ID_MOST:
            raise ServingError(f"the form says {event!r}, it may say {' or '.join(_ACTS)}; send it from an item's page")
        await self._workers.run(self._noted, visitor, item_id, event)
        answer = RedirectResponse(address("/item", id=item_id, shopper=visitor.named, did=event), status_code=303)
        visitor.remember(answer)
        return answer

    def _noted(self, visitor: Visitor, item_id: str, event: str) -> None:
        service = self._current.service
        service.catalogue.row(item_id)
        stored = StoredEvent(
            event_id=uuid.uuid4().hex, user_id=visitor.user_id, item_id=item_id, event=event, timestamp_s=time.time()
        )
        self._metrics.events.inc(service.state.record([stored]))

    def _values(self, visitor: Visitor, item_id: str) -> dict[str, object]:
        service = self._current.service
        row = service.catalogue.row(item_id)
        similar = service.gateway.similar(item_id, _SIMILAR)
        self._metrics.observe(similar)
        following = self._feed.next_values(visitor, item_id)
        return {
            "card": service.catalogue.card(row),
            "attributes": service.catalogue.item(row).attributes,
            "similar": shelf(similar, visitor, like=item_id),
            "taken_with": self._taken_with(service, visitor, item_id),
            "next_shelf": following["shelf"],
            "lately": following["lately"],
            "item_id": item_id,
        }

    def _taken_with(self, service: Service, visitor: Visitor, item_id: str) -> Shelf | None:
        """Return what the memory links with the item; None where the model has none, or knows of nothing."""
        if isinstance(service.gateway.engine, WholeEngine):
            return None
        ask = Ask(session=(SessionEvent(item_id),), k=_TAKEN_WITH)
        try:
            answer: Answer = service.fall_back(ask)
        except TrifocalError:
            # A shelf more or less: the page is shown without it, and the ladder has logged why.
            return None
        return shelf(answer, visitor, like=item_id) if answer.rung == "memory" else None
