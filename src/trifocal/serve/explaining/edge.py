"""Explanations for answers on their way out, in time or not at all. Async only here, at the edge.

An answer is never lost because its explanation is: its items then carry none, and its notes say why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from trifocal.errors import ConfigError, ServingError, TrifocalError
from trifocal.serve.asks import Answer
from trifocal.serve.config import ServeConfig
from trifocal.serve.current import Current
from trifocal.serve.explaining.pool import BoundedPool
from trifocal.serve.explaining.why import Found, Why
from trifocal.serve.metrics import Metrics
from trifocal.serve.statuses import OverloadedError, UnavailableError

__all__ = ["Explaining"]

_LOGGER = logging.getLogger(__name__)

_WARM_S = 120.0
_STAGE = "explain"
_OFF = "explanations are switched off; set serve.explain"
_FAILED = "it could not be said why; the log of the server says more"
_SOME = "of some items it could not be said why; the log of the server says more"


class Explaining:
    """Explains answers of the service in force. Stability: caller."""

    def __init__(self, current: Current, metrics: Metrics, config: ServeConfig) -> None:
        """Start no thread and load nothing yet."""
        self._current, self._metrics, self._config = current, metrics, config
        self.pool = BoundedPool(config.explain_threads, config.explain_queue)

    async def explained(self, answer: Answer, why: Why) -> Answer:
        """Return `answer` with its explanations; where there are none, with a note that says why."""
        if not answer.items:
            return answer
        began_s = time.perf_counter()
        ids = [item.card.item_id for item in answer.items]
        try:
            found = await self.of(why, ids, model_version=answer.model_version)
        except TrifocalError as error:
            found = Found((None,) * len(ids), (f"it could not be said why: {error}",))
        except Exception:
            # An answer is never lost because its explanation is.
            _LOGGER.exception("explaining an answer failed")
            self._metrics.explained("failed", len(ids))
            found = Found((None,) * len(ids), (_FAILED,))
        items = tuple(
            replace(item, explanation=told) for item, told in zip(answer.items, found.explanations, strict=True)
        )
        stages_ms = {**answer.stages_ms, _STAGE: 1000 * (time.perf_counter() - began_s)}
        notes = tuple(dict.fromkeys((*answer.notes, *found.notes)))
        return replace(answer, items=items, notes=notes, stages_ms=stages_ms)

    async def of(self, why: Why, item_ids: Sequence[str], *, model_version: str | None = None) -> Found:
        """Return the explanations of `item_ids`.

        Args:
            why: what was asked.
            item_ids: any of the items.
            model_version: that gave the answer; None = whichever answers now.

        Raises:
            ConfigError: when explanations are switched off, a package is missing, or the model cannot be explained.
            ServingError: when another model than `model_version` serves by now.
            OverloadedError: when too many explanations run or wait.
            UnavailableError: when they came too late.
        """
        try:
            found = await self._of(why, item_ids, model_version)
        except TrifocalError as error:
            self._metrics.explained(_outcome(error), len(item_ids))
            raise
        given = sum(told is not None for told in found.explanations)
        self._metrics.explained("explained", given)
        if given == len(item_ids):
            return found
        self._metrics.explained("failed", len(item_ids) - given)
        return replace(found, notes=(*found.notes, _SOME if given else _FAILED))

    async def warm_up(self) -> None:
        """Load what explains, where the settings say so; what cannot be loaded is logged."""
        if not (self._config.explain and self._config.explain_warm):
            return
        service = self._current.service
        try:
            await self.pool.run(service.warm_up_explanations, limit_s=_WARM_S)
        except TrifocalError as error:
            _LOGGER.warning("explanations are not warm: %s", error)
        except Exception:
            # Nobody waits for this: what breaks here has to be said here.
            _LOGGER.exception("explanations are not warm")

    async def _of(self, why: Why, item_ids: Sequence[str], model_version: str | None) -> Found:
        if not self._config.explain:
            raise ConfigError(_OFF)
        service = self._current.service
        if model_version is not None and service.gateway_of(why.ask).model_version != model_version:
            raise ServingError(f"the model {model_version} that answered does not serve any more; ask again")
        return await self.pool.run(partial(service.explain, why, item_ids), limit_s=self._config.explain_ms / 1000)


def _outcome(error: TrifocalError) -> str:
    match error:
        case OverloadedError():
            return "refused"
        case UnavailableError():
            return "late"
        case ConfigError():
            return "unavailable"
    return "failed"
