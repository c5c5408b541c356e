"""The endpoint of "why this?": wire -> explanations -> wire. Async only here, at the edge."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request

from trifocal.serve.current import Current
from trifocal.serve.experiment.api import ExperimentApi
from trifocal.serve.explaining.edge import Explaining
from trifocal.serve.explaining.why import Why
from trifocal.serve.explaining.wire import ExplainAnswer, ExplainBody, ExplainedItemAnswer
from trifocal.serve.picture_search import SearchAsk
from trifocal.serve.wire import Failure

__all__ = ["ExplainApi"]


class ExplainApi:
    """Route of explanations. Stability: internal."""

    def __init__(self, current: Current, explaining: Explaining, experiment: ExperimentApi) -> None:
        self._current, self._explaining, self._experiment = current, explaining, experiment

    def router(self) -> APIRouter:
        """Return the route."""
        failures: dict[int | str, dict[str, Any]] = {
            404: {"model": Failure, "description": "Unknown item"},
            501: {"model": Failure, "description": "Nothing can be explained here"},
        }
        router = APIRouter(tags=["recommend"])
        router.post("/v1/explain", responses=failures)(self.explain)
        return router

    async def explain(self, body: ExplainBody, request: Request) -> ExplainAnswer:
        """Say why items are answered to a user, to a session, or for a search."""
        began_s = time.perf_counter()
        service, why = self._current.service, self._why(body, request)
        cards = [service.catalogue.card(service.catalogue.row(item_id)) for item_id in body.item_ids]
        found = await self._explaining.of(why, body.item_ids)
        told = zip(cards, found.explanations, strict=True)
        return ExplainAnswer(
            items=tuple(ExplainedItemAnswer.of(card, explanation) for card, explanation in told),
            model_version=service.gateway_of(why.ask).model_version,
            notes=found.notes,
            stages_ms={"explain": 1000 * (time.perf_counter() - began_s)},
        )

    def _why(self, body: ExplainBody, request: Request) -> Why:
        ask = self._experiment.asked(body.question(), request.headers)
        if body.query is None or body.user_id is not None or body.events:
            return Why(ask)
        # Words alone are a search.
        return Why(ask, "hybrid", SearchAsk(body.query))
