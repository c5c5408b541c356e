"""The endpoints that swap bundles. Async only here, at the edge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from trifocal.serve.keys import Keys
from trifocal.serve.live.swap import BundleSwap, InForce
from trifocal.serve.live_wire import BundleAnswer, BundleBody
from trifocal.serve.metrics import Metrics
from trifocal.serve.wire import Failure

__all__ = ["BundleApi"]


class BundleApi:
    """Routes that tell and change which bundle serves. Stability: internal."""

    def __init__(self, swap: BundleSwap, metrics: Metrics) -> None:
        self._swap, self._metrics = swap, metrics

    def router(self, keys: Keys) -> APIRouter:
        """Return the routes; they need a key of an administrator, where there are keys."""
        missing: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "Unknown bundle"}}
        router = APIRouter(tags=["admin"], dependencies=keys.needed("admin"))
        router.get("/v1/bundle")(self.state)
        router.post("/v1/bundle", responses=missing)(self.swap)
        router.post("/v1/bundle/rollback")(self.roll_back)
        return router

    async def state(self) -> BundleAnswer:
        """Say which bundle serves."""
        return BundleAnswer.of(self._swap.state())

    async def swap(self, body: BundleBody) -> BundleAnswer:
        """Load another bundle beside the one that serves, and serve from it; what fails leaves all as it was."""
        return await self._changed(lambda: self._swap.swap(body.path))

    async def roll_back(self) -> BundleAnswer:
        """Serve from the bundle before."""
        return await self._changed(self._swap.roll_back)

    async def _changed(self, change: Callable[[], InForce]) -> BundleAnswer:
        # Not among the workers: it takes seconds, and searches would wait for it.
        state = await asyncio.to_thread(change)
        self._metrics.serving(state.model_name, state.model_version)
        return BundleAnswer.of(state)
