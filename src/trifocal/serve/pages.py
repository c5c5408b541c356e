"""The shop's pages, drawn on the server: joins feed, item, search, explanations and comparison to one router."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from trifocal.serve.current import Current
from trifocal.serve.experiment.api import ExperimentApi
from trifocal.serve.metrics import Metrics
from trifocal.serve.storefront.drawing import Drawing
from trifocal.serve.storefront.feed_pages import FeedPages
from trifocal.serve.storefront.product_pages import ProductPages
from trifocal.serve.storefront.search_pages import SearchPages
from trifocal.serve.storefront.side_by_side import SideBySide
from trifocal.serve.storefront.visitors import visitor_of
from trifocal.serve.storefront.why_pages import Explains, WhyPages
from trifocal.serve.workers import Workers

__all__ = ["Pages"]

_COMPARED, _COMPARED_SHOPPERS = 8, 6

_OptionalId = Annotated[str | None, Query(max_length=200)]


class Pages:
    """Routes that answer HTML. Stability: internal."""

    def __init__(
        self,
        current: Current,
        workers: Workers,
        metrics: Metrics,
        templates: Path,
        experiment: ExperimentApi,
        explains: Explains,
    ) -> None:
        self._current, self._workers, self._experiment = current, workers, experiment
        self._drawing = drawing = Drawing(current, templates)
        self._feed = FeedPages(drawing, current, workers, metrics, experiment)
        self._product = ProductPages(drawing, current, workers, metrics, self._feed)
        self._search = SearchPages(drawing, current, workers, metrics)
        self._why = WhyPages(drawing, current, experiment, explains)
        self._side_by_side = SideBySide(current.service.config.storefront.compare_with)

    def router(self, schema: Callable[[], dict[str, Any]]) -> APIRouter:
        """Return the routes; `schema` gives the OpenAPI document that the docs page draws."""
        router = APIRouter(include_in_schema=False)
        for path, page in (
            ("/", self._feed.home),
            ("/visit", self._feed.visit),
            ("/shopper", self._feed.shopper),
            ("/next", self._feed.next),
            ("/item", self._product.item),
            ("/search", self._search.search),
            ("/why", self._why.why),
            ("/compare", self.compare),
        ):
            router.get(path, response_class=HTMLResponse)(page)
        router.post("/act", response_class=HTMLResponse)(self._product.act)
        router.post("/search", response_class=HTMLResponse)(self._search.by_picture)

        def docs() -> HTMLResponse:
            return self._drawing.page("docs.html", None, {"schema": schema()})

        router.get("/docs", response_class=HTMLResponse)(docs)
        return router

    def dashboard(self) -> HTMLResponse:
        """Show how it goes: a page without figures, whose script asks the API for them."""
        access = self._current.service.config.access
        is_keyed = bool(access.keys or access.keys_file)
        return self._drawing.page(
            "dashboard.html", None, {"has_experiment": self._experiment.runs, "is_keyed": is_keyed}
        )

    def wanted(self, request: Request) -> bool:
        """Return whether `request` comes from somebody who reads a page."""
        machine = request.url.path.startswith(("/v1/", "/images/", "/static/"))
        return not machine and "text/html" in request.headers.get("accept", "")

    def told(self, request: Request, message: str, status: int) -> HTMLResponse | None:
        """Return the page that says what went wrong, where somebody reads a page."""
        if not self.wanted(request):
            return None
        return self._drawing.page("failure.html", None, {"message": message}, status=status)

    async def compare(self, request: Request, shopper: _OptionalId = None) -> HTMLResponse:
        """Show side by side what several models recommend to the same shopper."""
        visitor, service = visitor_of(request, shopper), self._current.service
        columns, is_whole = await self._workers.run(self._side_by_side.columns, service, visitor.user_id, _COMPARED)
        others = await self._workers.run(service.state.some_shoppers, _COMPARED_SHOPPERS)
        return self._drawing.page(
            "compare.html", visitor, {"columns": columns, "is_whole": is_whole, "others": others}, here="compare"
        )
