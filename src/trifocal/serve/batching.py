"""Questions that come at the same time are answered in one go: dynamic batching with a bounded queue.

```
event loop ─► queue ─► one thread: takes what waits, up to `size` ─► answers ─► event loop
```

A question is refused at once where `Admission` says so, by how many run and wait and what questions took lately:
whoever is accepted is answered soon, however many ask.

An idle service adds no wait: the thread takes a question as soon as it is there. Where the batch before held several,
more are on their way, and the thread waits for them up to `wait_us`. A batch that takes longer than `limit_s` counts as
hung: whoever waits is told at once, and a new thread takes over the queue.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from trifocal.errors import TrifocalError
from trifocal.serve.admission import Admission
from trifocal.serve.statuses import OverloadedError, UnavailableError

__all__ = ["Batches"]

_LOGGER = logging.getLogger(__name__)
# What a question takes is the median of so many batches: one that stumbles changes nothing.
_REMEMBERED = 9
_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


@dataclass
class _Waiting(Generic[_Question, _Answer]):
    """A question, who waits for its answer, and where."""

    question: _Question
    future: asyncio.Future[_Answer]


class Batches(Generic[_Question, _Answer]):
    """Gathers questions into batches. Used from one event loop. Stability: internal."""

    def __init__(
        self,
        answer_many: Callable[[Sequence[_Question]], Sequence[_Answer | TrifocalError]],
        *,
        size: int = 16,
        wait_us: int = 500,
        admission: Admission | None = None,
        limit_s: float = 1.0,
        observe: Callable[[int, float], None] = lambda _size, _seconds: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Start a thread.

        Args:
            answer_many: answers a batch, in its order; a question may be answered by an error.
            size: of a batch at most.
            wait_us: longest wait for a batch to fill.
            admission: says when a further one is refused; None = as `Admission` does by default.
            limit_s: after which a question is given up.
            observe: told the size of each batch that was answered, and its seconds.
            clock: seconds, never going back; times the batches.
        """
        self._answer_many = answer_many
        self._size, self._wait_s, self._limit_s = size, wait_us / 1e6, limit_s
        self._admission, self._observe, self._clock = admission or Admission(), observe, clock
        self._question_s = 0.0
        self._recent_s = deque([0.0] * _REMEMBERED, maxlen=_REMEMBERED)
        self._waiting: deque[_Waiting[_Question, _Answer]] = deque()
        self._changed = threading.Condition()
        self._generation = 0
        self._last_size = 1
        self._closed = False
        self.busy = 0
        self.hung = 0
        self._start()

    async def run(self, question: _Question) -> _Answer:
        """Return the answer to `question`.

        Raises:
            OverloadedError: when the queue is full, or the wait would be too long.
            UnavailableError: when the answer took too long.
            TrifocalError: what the question was answered by.
        """
        self.check_room()
        loop = asyncio.get_running_loop()
        waiting = _Waiting[_Question, _Answer](question, loop.create_future())
        self.busy += 1
        timer = loop.call_later(self._limit_s, self._give_up, waiting)
        try:
            with self._changed:
                self._waiting.append(waiting)
                self._changed.notify()
            return await waiting.future
        finally:
            self.busy -= 1
            timer.cancel()

    @property
    def expected_wait_s(self) -> float:
        """How long what runs and waits will take, by what questions took lately."""
        return self.busy * self._question_s

    def check_room(self) -> None:
        """Check that a further question would be taken now.

        Raises:
            OverloadedError: when it would not.
        """
        try:
            self._admission.check(self.busy, self._question_s)
        except OverloadedError:
            self._shed()
            raise

    def _shed(self) -> None:
        """Refuse what waits beyond the short queue of an overloaded service: it would be answered late."""
        most = self._admission.waiting_most(self._question_s)
        with self._changed:
            shed = [self._waiting.pop() for _ in range(len(self._waiting) - most)]
        for waiting in shed:
            if not waiting.future.done():
                waiting.future.set_exception(
                    OverloadedError("too much came while this waited; try again soon", reason="wait")
                )

    def close(self) -> None:
        """Answer what waits, take nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout=self._limit_s)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._work, args=(self._generation,), name="trifocal-batch", daemon=True)
        self._thread.start()

    def _give_up(self, waiting: _Waiting[_Question, _Answer]) -> None:
        """On the event loop: who waited too long is told; if the batch hangs, another thread goes on."""
        if waiting.future.done():
            return
        with self._changed:
            in_queue = waiting in self._waiting
            if in_queue:
                self._waiting.remove(waiting)
            if not in_queue or time.monotonic() - self._began_s > self._limit_s:
                self._replace_thread()
        waiting.future.set_exception(
            UnavailableError(f"no answer within {self._limit_s:g} s; ask less at a time, or raise serve.limit_ms")
        )

    _began_s = float("inf")

    def _replace_thread(self) -> None:
        # A batch that came in meanwhile is not the one that hangs.
        if time.monotonic() - self._began_s < self._limit_s / 2:
            return
        _LOGGER.error("a batch hangs for more than %g s; another thread takes over", self._limit_s)
        self.hung += 1
        self._generation += 1
        self._began_s = float("inf")
        self._start()

    def _work(self, generation: int) -> None:
        while True:
            batch = self._taken(generation)
            if not batch:
                return
            began_s = self._clock()
            try:
                answers = self._answer_many([waiting.question for waiting in batch])
            except Exception:
                _LOGGER.exception("a batch of %d questions failed", len(batch))
                answers = [UnavailableError("the answer failed; the log of the server says why")] * len(batch)
            if generation == self._generation:
                self._note(len(batch), self._clock() - began_s)
            loop = batch[0].future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, batch, answers)

    def _note(self, size: int, seconds: float) -> None:
        # Past the limit questions are given up, so that no more than that is ever waited for.
        recent = min(seconds, self._limit_s) / size
        self._recent_s.append(recent)
        self._question_s = statistics.median(self._recent_s)
        self._observe(size, seconds)

    def _taken(self, generation: int) -> list[_Waiting[_Question, _Answer]]:
        """Wait for a batch; empty = this thread is done."""
        with self._changed:
            if generation == self._generation:
                self._began_s = float("inf")
            while not self._waiting:
                if self._closed or generation != self._generation:
                    return []
                self._changed.wait()
            if generation != self._generation:
                # The queue belongs to another thread now.
                self._changed.notify()
                return []
            self._fill()
            size = min(self._size, len(self._waiting))
            self._last_size = size
            self._began_s = time.monotonic()
            return [self._waiting.popleft() for _ in range(size)]

    def _fill(self) -> None:
        """Wait a moment where the last batch says that more will come."""
        wanted = min(self._last_size, self._size)
        deadline = time.monotonic() + self._wait_s
        while len(self._waiting) < wanted and not self._closed:
            left = deadline - time.monotonic()
            if left <= 0 or not self._changed.wait(left):
                return


def _deliver(batch: Sequence[_Waiting[_Question, _Answer]], answers: Sequence[_Answer | TrifocalError]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        if waiting.future.done():
            continue
        if isinstance(answer, TrifocalError):
            waiting.future.set_exception(answer)
        else:
            waiting.future.set_result(answer)
