"""One bounded pool of threads for everything that computes, so that the event loop stays free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from trifocal.serve.statuses import OverloadedError

__all__ = ["Workers"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Workers:
    """Runs functions in threads; refuses at once when too many wait. Stability: internal."""

    def __init__(self, threads: int = 2, queue: int = 128) -> None:
        """Start no thread yet.

        Args:
            threads: how many functions run at a time.
            queue: how many may run or wait before a further one is refused.
        """
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="trifocal")
        self._queue = queue
        self.busy = 0

    async def run(
        self, function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result:
        """Return the result of `function`, run in a thread.

        Raises:
            OverloadedError: when the queue is full.
        """
        if self.busy >= self._queue:
            raise OverloadedError(f"{self.busy} requests run or wait, the limit is {self._queue}; try again soon")
        self.busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: function(*args, **kwargs))
        finally:
            self.busy -= 1

    def close(self) -> None:
        """Finish what runs, refuse the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)
