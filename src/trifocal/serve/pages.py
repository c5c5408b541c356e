"""The shop's pages, drawn on the server: pick a shopper, see history and recommendations, search, look at an item."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trifocal.serve.asks import Answer, Ask, Filters, ItemCard
from trifocal.serve.current import Current
from trifocal.serve.experiment.api import ExperimentApi
from trifocal.serve.metrics import Metrics
from trifocal.serve.service import Service
from trifocal.serve.wire import image_address
from trifocal.serve.workers import Workers
from trifocal.types import EVENT_CODES, History

__all__ = ["Pages"]

_RECOMMENDED, _FOUND, _SIMILAR, _HISTORY_SHOWN, _SHOPPERS, _SHOPPER_PICTURES = 24, 24, 12, 16, 8, 4
_EVENT_NAMES = {code: name for name, code in EVENT_CODES.items()}
_EVENT_WORDS = {"click": "Viewed", "cart": "In bag", "purchase": "Bought", "rating": "Rated"}

# Scripts and styles come from this server alone, and nothing may frame the pages.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_Id = Annotated[str, Query(min_length=1, max_length=200)]
_OptionalId = Annotated[str | None, Query(max_length=200)]
_Words = Annotated[str, Query(max_length=500)]


class Pages:
    """Routes that answer HTML. Stability: internal."""

    def __init__(
        self, current: Current, workers: Workers, metrics: Metrics, templates: Path, experiment: ExperimentApi
    ) -> None:
        self._current, self._workers, self._metrics, self._experiment = current, workers, metrics, experiment
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"image": image_address, "price": _price, "json": _json}
        self._environment.globals["address"] = _address

    def router(self, schema: Callable[[], dict[str, Any]]) -> APIRouter:
        """Return the routes; `schema` gives the OpenAPI document that the docs page draws."""
        router = APIRouter(include_in_schema=False)
        for path, page in (
            ("/", self.home),
            ("/visit", self.visit),
            ("/shopper", self.shopper),
            ("/item", self.item),
            ("/search", self.search),
        ):
            router.get(path, response_class=HTMLResponse)(page)

        def docs() -> HTMLResponse:
            return self._page("docs.html", schema=schema())

        router.get("/docs", response_class=HTMLResponse)(docs)
        return router

    def dashboard(self) -> HTMLResponse:
        """Show how it goes: a page without figures, whose script asks the API for them."""
        return self._page("dashboard.html", has_experiment=self._experiment.runs)

    def wanted(self, request: Request) -> bool:
        """Return whether `request` comes from somebody who reads a page."""
        machine = request.url.path.startswith(("/v1/", "/images/", "/static/"))
        return not machine and "text/html" in request.headers.get("accept", "")

    def told(self, request: Request, message: str, status: int) -> HTMLResponse | None:
        """Return the page that says what went wrong, where somebody reads a page."""
        return self._page("failure.html", status=status, message=message) if self.wanted(request) else None

    async def home(self) -> HTMLResponse:
        """Offer some shoppers to look over the shoulder of."""
        return self._page("home.html", shoppers=await self._workers.run(self._some_shoppers))

    async def visit(self) -> RedirectResponse:
        """Begin as somebody new."""
        return RedirectResponse(_address("/shopper", id=f"visitor-{secrets.token_hex(4)}"), status_code=303)

    async def shopper(self, id: _Id, section: _OptionalId = None) -> HTMLResponse:  # noqa: A002 - the address's own word
        """Show a shopper's history and recommendations."""
        service = self._current.service
        history = await self._workers.run(service.state.history, id)
        ask = self._experiment.assigned(Ask(user_id=id, k=_RECOMMENDED, filters=Filters(category=section or None)))
        answer = await self._answered(service.recommend, ask)
        return self._page(
            "shopper.html",
            shopper=id,
            events=_shown(service, history, _HISTORY_SHOWN),
            event_count=len(history),
            answer=answer,
            sections=service.catalogue.sections(),
            section=section,
        )

    async def item(self, id: _Id, shopper: _OptionalId = None) -> HTMLResponse:  # noqa: A002 - the address's own word
        """Show an item and those alike."""
        service = self._current.service
        card = service.catalogue.card(service.catalogue.row(id))
        answer = await self._answered(service.gateway.similar, id, _SIMILAR)
        return self._page("item.html", card=card, answer=answer, shopper=shopper)

    async def search(self, q: _Words = "", shopper: _OptionalId = None) -> HTMLResponse:
        """Show what fits some words."""
        search = self._current.service.text_search.search
        answer = await self._answered(search, q, _FOUND) if q.strip() else None
        return self._page("search.html", query=q.strip(), answer=answer, shopper=shopper)

    async def _answered(self, function: Callable[..., Answer], *args: object) -> Answer:
        answer = await self._workers.run(function, *args)
        self._metrics.observe(answer)
        return answer

    def _some_shoppers(self) -> list[tuple[str, int, list[tuple[ItemCard, str]]]]:
        service = self._current.service
        histories = [(user_id, service.state.history(user_id)) for user_id in service.state.some_shoppers(_SHOPPERS)]
        return [(user_id, len(history), _shown(service, history, _SHOPPER_PICTURES)) for user_id, history in histories]

    def _page(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        version = self._current.service.manifest.model_version
        values = {"shopper": None, "query": "", "status": status, "model_version": version, **values}
        return HTMLResponse(self._environment.get_template(template).render(values), status, headers=_HEADERS)


def _shown(service: Service, history: History, count: int) -> list[tuple[ItemCard, str]]:
    """The newest events first: the item and what was done with it, in a word."""
    newest = service.catalogue.shown(history).last(count)
    cards = [service.catalogue.card(row) for row in newest.item_rows.tolist()]
    words = [_EVENT_WORDS[_EVENT_NAMES[code]] for code in newest.event_codes.tolist()]
    return list(zip(cards, words, strict=True))[::-1]


def _address(path: str, **parameters: str | None) -> str:
    """Return `path` with the parameters that are not empty."""
    given = {name: value for name, value in parameters.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _price(value: float) -> str:
    return f"{value:,.2f}"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
