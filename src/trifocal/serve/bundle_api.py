"""The endpoints that swap bundles. Async only here, at the edge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from trifocal.serve.keys import Keys
from trifocal.serve.live.swap import BundleSwap, InForce
from trifocal.serve.live_wire import BundleAnswer, BundleBody
from trifocal.serve.metrics import Metrics
from trifocal.serve.watch.bundle_wire import BundleHistory
from trifocal.serve.watch.served_bundles import Call, ServedBundles, served
from trifocal.serve.wire import Failure

__all__ = ["BundleApi"]


class BundleApi:
    """Routes that tell and change which bundle serves. Stability: internal."""

    def __init__(self, swap: BundleSwap, metrics: Metrics) -> None:
        self._swap, self._metrics = swap, metrics
        config = swap.service.config.live
        self._root = Path(config.bundles).resolve() if config.bundles else None
        self._served = ServedBundles(Path(config.history_file) if config.history_file else None)
        self._note("start", swap.state())

    def router(self, keys: Keys) -> APIRouter:
        """Return the routes; all but the history need a key of an administrator, where there are keys."""
        missing: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "Unknown bundle"}}
        router, admin = APIRouter(tags=["admin"]), keys.needed("admin")
        router.get("/v1/bundle", dependencies=admin)(self.state)
        router.get("/v1/bundle/history", dependencies=keys.needed("read"))(self.history)
        router.post("/v1/bundle", responses=missing, dependencies=admin)(self.swap)
        router.post("/v1/bundle/rollback", dependencies=admin)(self.roll_back)
        return router

    async def state(self) -> BundleAnswer:
        """Say which bundle serves."""
        return BundleAnswer.of(self._swap.state())

    async def history(self) -> BundleHistory:
        """Say which bundles served, since when, and what put them in force."""
        return BundleHistory.of(
            self._served.every(),
            previous=self._swap.state().previous,
            durable=self._served.is_durable,
            root=self._root,
        )

    async def swap(self, body: BundleBody) -> BundleAnswer:
        """Load another bundle beside the one that serves, and serve from it; what fails leaves all as it was."""
        return await self._changed("swap", lambda: self._swap.swap(body.path))

    async def roll_back(self) -> BundleAnswer:
        """Serve from the bundle before."""
        return await self._changed("rollback", self._swap.roll_back)

    async def _changed(self, call: Call, change: Callable[[], InForce]) -> BundleAnswer:
        def changed() -> InForce:
            state = change()
            self._note(call, state)
            return state

        # Not among the workers: it takes seconds, and searches would wait for it.
        state = await asyncio.to_thread(changed)
        self._metrics.serving(state.model_name, state.model_version)
        return BundleAnswer.of(state)

    def _note(self, call: Call, state: InForce) -> None:
        service = self._swap.service
        self._served.note(
            served(service.manifest, service.folder, variant=state.variant, by=call, since_s=state.since_s)
        )
