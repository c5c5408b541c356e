"""The endpoints of the experiment, and the variant of each request. Async only here, at the edge."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import Headers

from trifocal.errors import NotFoundError, TrifocalError
from trifocal.serve.asks import Ask
from trifocal.serve.experiment.control import Experiment, Overview
from trifocal.serve.experiment.wire import ExperimentAnswer, StopBody, VariantBody
from trifocal.serve.keys import Keys, given_key
from trifocal.serve.wire import Failure, RecommendBody

__all__ = ["ExperimentApi"]

_LOGGER = logging.getLogger(__name__)
_NONE = "no experiment runs here; serve.experiment.variants begins one"


class ExperimentApi:
    """Routes of the experiment, if there is one. Stability: internal."""

    def __init__(self, experiment: Experiment | None, keys: Keys) -> None:
        self._experiment, self._keys = experiment, keys

    def router(self) -> APIRouter:
        """Return the routes; looking needs a key to read, changing one of an administrator, where there are keys."""
        missing: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "Unknown variant"}}
        router = APIRouter(tags=["experiment"], responses=missing)
        router.get("/v1/experiment", dependencies=self._keys.needed("read"))(self.state)
        router.post("/v1/experiment/stop", dependencies=self._keys.needed("admin"))(self.stop)
        router.post("/v1/experiment/resume", dependencies=self._keys.needed("admin"))(self.resume)
        return router

    def asked(self, body: RecommendBody, headers: Headers) -> Ask:
        """Return the question of `body`, with its variant where there is an experiment.

        Raises:
            NotFoundError: when it asks for a variant that is not there.
            UnauthorizedError: when it asks for a variant without the key of an administrator, where there are keys.
            ForbiddenError: likewise, with a key that opens less.
        """
        if body.variant is not None:
            self._keys.check(given_key(headers), "admin")
        if self._experiment is not None:
            return self._experiment.assigned(body.ask(), session_id=body.session_id, forced=body.variant)
        if body.variant is not None:
            raise NotFoundError(f"there is no variant {body.variant!r}: {_NONE}")
        return body.ask()

    @property
    def runs(self) -> bool:
        """Whether there is an experiment."""
        return self._experiment is not None

    def assigned(self, ask: Ask) -> Ask:
        """Return `ask`, with its variant where there is an experiment."""
        return ask if self._experiment is None else self._experiment.assigned(ask)

    async def state(self) -> ExperimentAnswer:
        """Say how the variants do, and which were stopped."""
        return ExperimentAnswer.of(self._running().overview())

    async def stop(self, body: StopBody) -> ExperimentAnswer:
        """Give the shoppers of a variant the control from now on; a restart keeps it."""
        return await _changed(lambda: self._running().stop(body.variant, body.reason))

    async def resume(self, body: VariantBody) -> ExperimentAnswer:
        """Show a variant again, after a repair; everything is counted from now on."""
        return await _changed(lambda: self._running().resume(body.variant))

    async def watch(self, every_s: float) -> None:
        """Look at the guard rails now and then, until cancelled; return at once where there is no experiment."""
        while self._experiment is not None:
            try:
                await asyncio.to_thread(self._experiment.check)
            except TrifocalError as error:
                _LOGGER.error("the guard rails could not be looked at: %s", error)
            except Exception:
                # Nobody waits for this task: what breaks here has to be said here, and the next look may do better.
                _LOGGER.exception("the guard rails could not be looked at")
            await asyncio.sleep(every_s)

    def _running(self) -> Experiment:
        if self._experiment is None:
            raise NotFoundError(_NONE)
        return self._experiment


async def _changed(change: Callable[[], Overview]) -> ExperimentAnswer:
    # Not on the event loop: it writes a file.
    return ExperimentAnswer.of(await asyncio.to_thread(change))
