"""Whether a further question is taken: by how long it would wait, and more strictly while too much comes.

```
calm: a wait up to `wait_s` is taken, as when many clients ask once each
  │ a question is refused
  ▼
overloaded: what waits longer than `overloaded_wait_s` is refused, until `calm_s` went by without a refusal
```

A queue that stays full helps nobody: as many are answered as with a short one, and each of them later. A long queue for
bursts and a short one for the rest: Maurer, "Fail at Scale", ACM Queue 13(8), 2015, section "Controlled Delay".
Knows no HTTP.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from trifocal.serve.statuses import OverloadedError

__all__ = ["Admission"]


class Admission:
    """Says what is too much. Used from one event loop. Stability: internal."""

    def __init__(
        self,
        *,
        queue: int = 128,
        wait_s: float = float("inf"),
        overloaded_wait_s: float = float("inf"),
        calm_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the bounds.

        Args:
            queue: questions that may run or wait.
            wait_s: expected wait above which one is refused.
            overloaded_wait_s: likewise, while too much comes; the first of an idle service is taken in any case.
            calm_s: so long no question was refused: too much comes no more.
            clock: seconds, never going back.
        """
        self._queue, self._wait_s, self._overloaded_wait_s = queue, wait_s, overloaded_wait_s
        self._calm_s, self._clock = calm_s, clock
        self._refused_s = float("-inf")

    @property
    def overloaded(self) -> bool:
        """Whether too much came lately."""
        return self._clock() - self._refused_s < self._calm_s

    def waiting_most(self, question_s: float) -> int:
        """Return how many may wait while too much comes, of which each takes `question_s`; at least one.

        >>> Admission(overloaded_wait_s=0.01).waiting_most(0.003)
        3
        """
        if question_s <= 0 or math.isinf(self._overloaded_wait_s):
            return self._queue
        return max(1, int(self._overloaded_wait_s / question_s))

    def check(self, busy: int, question_s: float) -> None:
        """Let one question in beside `busy` others, of which each takes `question_s`.

        Raises:
            OverloadedError: when the queue is full, or the wait would be too long.
        """
        if busy >= self._queue:
            self._refused_s = self._clock()
            raise OverloadedError(f"{busy} questions run or wait, the limit is {self._queue}; try again soon")
        wait_s = busy * question_s
        limit_s = self._overloaded_wait_s if self.overloaded else self._wait_s
        if busy and wait_s > limit_s:
            self._refused_s = self._clock()
            raise OverloadedError(
                f"an answer would wait for {1000 * wait_s:.0f} ms, the limit is {1000 * limit_s:.0f} ms; "
                "try again soon",
                reason="wait",
                retry_after_s=wait_s,
            )
