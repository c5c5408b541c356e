"""The search endpoints: words in the address, or words and a picture in the body. Async only here, at the edge."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from trifocal.serve.current import Current
from trifocal.serve.explaining.edge import Explaining
from trifocal.serve.explaining.why import Why
from trifocal.serve.metrics import Metrics
from trifocal.serve.picture_search import SearchAsk
from trifocal.serve.search_wire import SearchBody, SearchParameters
from trifocal.serve.wire import Failure, ItemsAnswer
from trifocal.serve.workers import Workers

__all__ = ["SearchApi"]

_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")


_Parameters = Annotated[SearchParameters, Query()]


class SearchApi:
    """Routes of search. Stability: internal."""

    def __init__(self, current: Current, workers: Workers, metrics: Metrics, explaining: Explaining) -> None:
        self._current, self._workers, self._metrics = current, workers, metrics
        self._explaining = explaining

    def router(self) -> APIRouter:
        """Return the routes."""
        missing: dict[int | str, dict[str, Any]] = {
            415: {"model": Failure, "description": "The body is of another kind"},
            501: {"model": Failure, "description": "Pictures cannot be compared here"},
        }
        router = APIRouter(tags=["search"])
        router.get("/v1/search", response_model=ItemsAnswer)(self.search)
        router.post("/v1/search", response_model=ItemsAnswer, responses=missing, openapi_extra=_body())(self.shown)
        return router

    async def search(self, asked: _Parameters) -> Response:
        """Search items by words."""
        return await self._answered(asked.ask(), asked)

    async def shown(self, asked: _Parameters, request: Request) -> Response:
        """Search items by a picture, by words, or by both.

        Either JSON holds all that is asked, or the body is the picture itself and the address holds the rest.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _PICTURES:
            return await self._answered(asked.ask(await request.body()), asked)
        if kind != "application/json":
            raise HTTPException(415, f"a body of the kind {kind!r} cannot be searched by; send JSON, or a picture")
        try:
            body = SearchBody.model_validate_json(await request.body())
        except ValidationError as error:
            faults = error.errors(include_url=False)
            raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None
        return await self._answered(body.ask(), body)

    async def _answered(self, ask: SearchAsk, asked: SearchParameters | SearchBody) -> Response:
        answer = await self._workers.run(self._current.service.picture_search.search, ask)
        if asked.explain:
            answer = await self._explaining.explained(answer, Why.found(ask, answer.rung))
        self._metrics.observe(answer)
        told = ItemsAnswer.of(answer, timings=asked.timings)
        return Response(told.model_dump_json(), media_type="application/json")


def _body() -> dict[str, Any]:
    """The body as OpenAPI describes it: read here, since its kind says how."""
    schema = SearchBody.model_json_schema(ref_template="#/components/schemas/{model}")
    # The framework knows the filters from the recommendations.
    schema.pop("$defs", None)
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    picture = {"schema": {"type": "string", "format": "binary"}}
    return {"requestBody": {"required": True, "content": content | dict.fromkeys(_PICTURES, picture)}}
