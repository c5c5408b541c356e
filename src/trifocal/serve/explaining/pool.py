"""A small pool of threads for what must never hold answers up: full = refused at once, late = given up by who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from trifocal.serve.statuses import OverloadedError, UnavailableError

__all__ = ["BoundedPool"]

_Result = TypeVar("_Result")


class BoundedPool:
    """Runs functions in threads of its own, which start with the first. Stability: internal."""

    def __init__(self, threads: int, queue: int) -> None:
        """Start nothing yet.

        Args:
            threads: how many functions run at a time.
            queue: how many may run or wait; what was given up counts until it has ended.
        """
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="trifocal-explain")
        self._queue, self._lock = queue, Lock()
        self.busy = 0

    async def run(self, function: Callable[[], _Result], limit_s: float) -> _Result:
        """Return the result of `function`; where it is late it goes on, and may leave its result in a cache.

        Raises:
            OverloadedError: when there is no room for it.
            UnavailableError: when it took longer than `limit_s`.
        """
        future = self._started(function)
        done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=limit_s)
        if not done:
            # What has not begun need not.
            future.cancel()
            raise UnavailableError(
                f"the explanations took longer than {1000 * limit_s:.0f} ms; ask again, or raise serve.explain_ms"
            )
        return done.pop().result()

    def close(self) -> None:
        """Finish what runs, refuse the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _started(self, function: Callable[[], _Result]) -> Future[_Result]:
        with self._lock:
            if self.busy >= self._queue:
                raise OverloadedError(
                    f"{self.busy} explained answers run or wait, the limit is {self._queue}; try again soon"
                )
            self.busy += 1
        future = self._pool.submit(function)
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _future: Future[_Result]) -> None:
        with self._lock:
            self.busy -= 1
