"""The pages with recommendations: the feed, its further stretches, and the shelf that follows the last click."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from trifocal.errors import TrifocalError
from trifocal.serve.asks import Answer, Ask, Filters, ItemCard
from trifocal.serve.current import Current
from trifocal.serve.experiment.api import ExperimentApi
from trifocal.serve.gateway import K_MAX
from trifocal.serve.metrics import Metrics
from trifocal.serve.service import Service
from trifocal.serve.storefront.drawing import Drawing
from trifocal.serve.storefront.lists import Shelf, shelf, taken
from trifocal.serve.storefront.visitors import Visitor, visitor_of
from trifocal.serve.workers import Workers
from trifocal.types import History

__all__ = ["FeedPages"]

_SHOWN, _LATELY, _NEXT = 24, 16, 6
_SECTIONS, _IN_SECTION = 4, 8
_SHOPPERS, _SHOPPER_PICTURES = 6, 4
_PAGES_MOST = -(-K_MAX // _SHOWN)

_Id = Annotated[str, Query(min_length=1, max_length=200)]
_OptionalId = Annotated[str | None, Query(max_length=200)]
_Page = Annotated[int, Query(ge=1, le=_PAGES_MOST)]
_Part = Annotated[bool, Query()]


class FeedPages:
    """Routes of recommendations. Stability: internal."""

    def __init__(
        self, drawing: Drawing, current: Current, workers: Workers, metrics: Metrics, experiment: ExperimentApi
    ) -> None:
        self._drawing, self._current, self._workers = drawing, current, workers
        self._metrics, self._experiment = metrics, experiment

    async def home(
        self, request: Request, section: _OptionalId = None, page: _Page = 1, part: _Part = False
    ) -> HTMLResponse:
        """Show the browser's own visitor what is next, and a stranger what is there."""
        return await self._feed(visitor_of(request), section, page, part=part)

    async def shopper(
        self,
        request: Request,
        id: _Id,  # noqa: A002 - the address's own word
        section: _OptionalId = None,
        page: _Page = 1,
        part: _Part = False,
    ) -> HTMLResponse:
        """Look over a shopper's shoulder."""
        return await self._feed(visitor_of(request, id), section, page, part=part)

    async def visit(self) -> RedirectResponse:
        """Begin as somebody new."""
        answer = RedirectResponse("/", status_code=303)
        Visitor.new().remember(answer)
        return answer

    async def next(self, request: Request, shopper: _OptionalId = None, item: _OptionalId = None) -> HTMLResponse:
        """Return the shelf that follows the last click, as a part of a page."""
        visitor = visitor_of(request, shopper)
        values = await self._workers.run(self.next_values, visitor, item)
        return self._drawing.page("part_next.html", visitor, values)

    def next_values(self, visitor: Visitor, item_id: str | None) -> dict[str, object]:
        """Return what the shelf that follows the last click shows; `item_id` is being looked at, and left out."""
        service = self._current.service
        exclude = () if item_id is None else (item_id,)
        ask = self._experiment.assigned(Ask(user_id=visitor.user_id, k=_NEXT, exclude=exclude))
        lately = taken(service, service.state.history(visitor.user_id), 1)
        return {"shelf": shelf(self._answered(service, ask), visitor), "lately": lately, "item_id": item_id}

    async def _feed(self, visitor: Visitor, section: str | None, page: int, *, part: bool) -> HTMLResponse:
        service = self._current.service
        history = service.catalogue.shown(await self._workers.run(service.state.history, visitor.user_id))
        if not len(history) and not section and page == 1:
            values = await self._workers.run(self._stranger, visitor)
            return self._drawing.page("welcome.html", visitor, values, here="feed")
        shown = await self._workers.run(self._stretch, visitor, section, page)
        values = {"shelf": shown, "section": section, "page": page, "more": self._more(shown, section, page)}
        if part:
            return self._drawing.page("part_feed.html", visitor, values)
        about = await self._workers.run(self._about, history)
        return self._drawing.page("feed.html", visitor, {**values, **about}, here="feed")

    def _stretch(self, visitor: Visitor, section: str | None, page: int) -> Shelf:
        filters = Filters(category=section or None)
        ask = Ask(user_id=visitor.user_id, k=min(page * _SHOWN, K_MAX), filters=filters)
        answer = self._answered(self._current.service, self._experiment.assigned(ask))
        return shelf(answer, visitor, first=1 + (page - 1) * _SHOWN)

    def _more(self, shown: Shelf, section: str | None, page: int) -> str | None:
        whole = len(shown.items) == _SHOWN and page < _PAGES_MOST
        return shown.visitor.feed(section, page + 1) if whole else None

    def _about(self, history: History) -> dict[str, object]:
        lately = taken(self._current.service, history, _LATELY)
        return {"lately": lately, "event_count": len(history), "shoppers": self._some_shoppers()}

    def _stranger(self, visitor: Visitor) -> dict[str, object]:
        """Return what many like, section by section, and whose shoulder can be looked over."""
        service = self._current.service
        sections = service.catalogue.sections()[:_SECTIONS]
        filters = [Filters(category=section) for section in sections] or [Filters()]
        asks = [Ask(user_id=visitor.user_id, k=_IN_SECTION, filters=wanted) for wanted in filters]
        answers = service.recommend_many([self._experiment.assigned(ask) for ask in asks])
        names = sections or ["Everything"]
        shelves = [(name, self._noted(answer, visitor)) for name, answer in zip(names, answers, strict=True)]
        return {"shelves": [(name, one) for name, one in shelves if one.items], "shoppers": self._some_shoppers()}

    def _noted(self, answer: Answer | TrifocalError, visitor: Visitor) -> Shelf:
        if isinstance(answer, TrifocalError):
            raise answer
        self._metrics.observe(answer)
        return shelf(answer, visitor)

    def _answered(self, service: Service, ask: Ask) -> Answer:
        answer = service.recommend(ask)
        self._metrics.observe(answer)
        return answer

    def _some_shoppers(self) -> list[tuple[str, int, list[tuple[ItemCard, str]]]]:
        service = self._current.service
        histories = [(user_id, service.state.history(user_id)) for user_id in service.state.some_shoppers(_SHOPPERS)]
        return [(user_id, len(history), taken(service, history, _SHOPPER_PICTURES)) for user_id, history in histories]
