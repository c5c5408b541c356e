"""The endpoints of the watch. Async only here, at the edge."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from trifocal.errors import ConfigError, ServingError
from trifocal.serve.current import Current
from trifocal.serve.keys import Keys
from trifocal.serve.watch.config import WatchConfig
from trifocal.serve.watch.watch import Watch
from trifocal.serve.watch.wire import CatalogueAnswer, CourseAnswer, HealthAnswer, RungAnswer, RungBody

__all__ = ["HealthApi"]


class HealthApi:
    """Routes that tell how the service is, and put a rung in force. Stability: internal."""

    def __init__(self, watch: Watch, current: Current, config: WatchConfig) -> None:
        self._watch, self._current, self._config = watch, current, config

    def router(self, keys: Keys) -> APIRouter:
        """Return the routes: to read needs a key to read, to move one of an administrator, where there are keys."""
        router, read = APIRouter(tags=["health"]), keys.needed("read")
        router.get("/v1/health/report", dependencies=read)(self.report)
        router.get("/v1/health/course", dependencies=read)(self.course)
        router.get("/v1/health/catalogue", dependencies=read)(self.catalogue)
        router.post("/v1/health/rung", dependencies=keys.needed("admin"))(self.force)
        return router

    async def report(self) -> HealthAnswer:
        """Show key figures, the rung in force, moves, alarms and detectors."""
        # Not among the workers: who looks after an overload must not be refused by it.
        report = await asyncio.to_thread(self._watch.report)
        return HealthAnswer.of(report, self._current.service.cache_stats(), enabled=self._config.enabled)

    async def course(self, since_s: Annotated[float, Query(ge=0, allow_inf_nan=False)] = 0.0) -> CourseAnswer:
        """Show key figures and rungs of the last hour, point by point; those after `since_s`, seconds since 1970."""
        points = await asyncio.to_thread(self._watch.course, since_s)
        return CourseAnswer(every_s=self._config.course_s, window_s=self._config.kpis.windows_s[0], points=points)

    async def catalogue(self) -> CatalogueAnswer:
        """Show what the items lack, broken pictures, what is never recommended, what is new; counted now and then."""
        health = self._watch.catalogue()
        return CatalogueAnswer(every_s=self._config.catalogue_s, health=health if health.at_s else None)

    async def force(self, body: RungBody) -> RungAnswer:
        """Put a rung of the ladder in force by hand; null = the service decides again."""
        try:
            moves = await asyncio.to_thread(self._watch.force, body.rung, body.variant)
        except ConfigError as error:
            raise ServingError(str(error)) from error
        return RungAnswer(moves=tuple(moves))
