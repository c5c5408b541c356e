"""The JSON endpoints: wire -> gateway -> wire, each in a few lines. Async only here, at the edge."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict

from trifocal.serve.answer_json import answer_json
from trifocal.serve.asks import Answer, Ask
from trifocal.serve.batching import Batches
from trifocal.serve.current import Current
from trifocal.serve.events_wire import EventsAnswer, EventsBody
from trifocal.serve.experiment.api import ExperimentApi
from trifocal.serve.explaining.edge import Explaining
from trifocal.serve.explaining.why import Why
from trifocal.serve.gateway import K_MAX
from trifocal.serve.keys import Keys
from trifocal.serve.metrics import Metrics
from trifocal.serve.pictures import placeholder
from trifocal.serve.statuses import UnavailableError
from trifocal.serve.watch.watch import Watch
from trifocal.serve.wire import Failure, ItemAnswer, ItemsAnswer, RecommendBody
from trifocal.serve.workers import Workers

__all__ = ["RECOMMEND", "Api"]

RECOMMEND = "/v1/recommend"

_LOGGER = logging.getLogger(__name__)

_K = Annotated[int, Query(ge=1, le=K_MAX, description="How many items.")]
_Timings = Annotated[bool, Query(description="Answer with the milliseconds of each stage.")]
_Explain = Annotated[bool, Query(description="Say of each item why it is answered.")]

# An item may be given another picture while the service runs.
_PICTURE_CACHE = "public, max-age=300"
_PLACEHOLDER_CACHE = "public, max-age=300"


class ReadyAnswer(BaseModel):
    """Whether requests can be sent here."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ready", "warming up", "draining"]
    model_version: str


class Api:
    """Routes of the service in force. Stability: internal."""

    def __init__(
        self,
        current: Current,
        workers: Workers,
        batches: Batches[Ask, Answer],
        metrics: Metrics,
        experiment: ExperimentApi,
        watch: Watch,
        explaining: Explaining,
    ) -> None:
        self._watch, self._explaining = watch, explaining
        self._current, self._workers, self._batches, self._metrics = current, workers, batches, metrics
        self._experiment = experiment
        self.ready, self.draining = False, False

    def router(self, keys: Keys, *, metrics_keyed: bool = False) -> APIRouter:
        """Return the routes; those that ask or tell something need a key to read, where there are keys."""
        missing: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "Unknown item"}}
        needed = keys.needed("read")
        keyed, router = APIRouter(dependencies=needed), APIRouter()
        keyed.post(RECOMMEND, tags=["recommend"], response_model=ItemsAnswer)(self.recommend)
        keyed.get("/v1/items/{item_id:path}/similar", tags=["items"], responses=missing)(self.similar)
        keyed.get("/v1/items/{item_id:path}", tags=["items"], responses=missing)(self.item)
        keyed.post("/v1/events", tags=["events"])(self.events)
        router.include_router(keyed)
        router.get("/healthz", tags=["operation"])(self.healthz)
        router.get("/readyz", tags=["operation"], responses={503: {"model": ReadyAnswer}})(self.readyz)
        router.get(
            "/metrics",
            tags=["operation"],
            response_class=PlainTextResponse,
            dependencies=needed if metrics_keyed else None,
        )(self.exposition)
        # Open, since a page that shows an item cannot send a key along with its pictures.
        router.get("/images/{item_id:path}", tags=["items"], response_class=FileResponse, responses=missing)(self.image)
        return router

    def drain(self) -> None:
        """Say from now on that no request should be sent here; those that come are answered."""
        self.draining = True

    async def recommend(self, body: RecommendBody, request: Request) -> Response:
        """Recommend items to a user, or to a session without a name."""
        began_s = time.perf_counter()
        ask = self._experiment.asked(body, request.headers)
        try:
            answer = await self._batches.run(ask)
        except UnavailableError as error:
            _LOGGER.warning("the model did not answer, the last rungs do: %s", error)
            answer = await self._without_model(ask, began_s)
        self._watch.answered(answer, 1000 * (time.perf_counter() - began_s))
        if body.explain:
            answer = await self._explaining.explained(answer, Why(ask, answer.rung))
        self._metrics.observe(answer)
        return Response(answer_json(answer, timings=body.timings), media_type="application/json")

    async def _without_model(self, ask: Ask, began_s: float) -> Answer:
        try:
            return await self._workers.run(self._current.service.fall_back, ask)
        except UnavailableError:
            self._watch.failed(1000 * (time.perf_counter() - began_s))
            raise

    async def similar(
        self, item_id: str, k: _K = 10, timings: _Timings = False, explain: _Explain = False
    ) -> ItemsAnswer:
        """Find the items most alike to an item."""
        answer = await self._workers.run(self._current.service.gateway.similar, item_id, k)
        if explain:
            answer = await self._explaining.explained(answer, Why.similar(item_id, answer.rung))
        self._metrics.observe(answer)
        return ItemsAnswer.of(answer, timings=timings)

    async def item(self, item_id: str) -> ItemAnswer:
        """Show an item."""
        catalogue = self._current.service.catalogue
        return ItemAnswer.of(catalogue.card(catalogue.row(item_id)))

    async def events(self, body: EventsBody) -> EventsAnswer:
        """Store what users did; durable when answered, and part of the very next recommendation."""
        now_s = time.time()
        events = [event.stored(now_s) for event in body.events]
        stored = await self._workers.run(self._current.service.state.record, events)
        self._metrics.events.inc(stored)
        if stored:
            self._watch.happened(events)
        return EventsAnswer(stored=stored, ignored=len(body.events) - stored)

    async def healthz(self) -> dict[str, str]:
        """Say that the process runs."""
        return {"status": "alive"}

    async def readyz(self, response: Response) -> ReadyAnswer:
        """Say whether requests can be sent: 503 until the models are warm, and from the stop signal on."""
        is_ready = self.ready and not self.draining
        response.status_code = 200 if is_ready else 503
        status: Literal["ready", "draining", "warming up"] = "ready" if is_ready else "warming up"
        version = self._current.service.manifest.model_version
        return ReadyAnswer(status="draining" if self.draining else status, model_version=version)

    async def exposition(self) -> PlainTextResponse:
        """Show the metrics in the text format of Prometheus."""
        # Key figures take a while to put together, and nobody should wait for them.
        content = await asyncio.to_thread(self._metrics.exposition)
        return PlainTextResponse(content, media_type="text/plain; version=0.0.4; charset=utf-8")

    def image(self, item_id: str) -> Response:
        """Show an item's picture, or a drawn placeholder."""
        service = self._current.service
        row = service.catalogue.row(item_id)
        found = service.picture(row)
        if found is None:
            content = placeholder(service.catalogue.title(row))
            return Response(content, media_type="image/svg+xml", headers={"Cache-Control": _PLACEHOLDER_CACHE})
        path, media_type = found
        return FileResponse(path, media_type=media_type, headers={"Cache-Control": _PICTURE_CACHE})
