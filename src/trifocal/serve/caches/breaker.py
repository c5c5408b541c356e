"""Leaves a broken dependency alone for a while, then lets one caller try it. Knows nothing of what it guards."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

__all__ = ["CircuitBreaker"]


class CircuitBreaker:
    """Closed = use it; open = leave it alone; one probe a cool-down while open. Stability: internal.

    ```
    closed --failed--> open --cool-down--> one probe --succeeded--> closed
                         ^                     |
                         +-------failed--------+
    ```
    """

    def __init__(self, cool_down_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start closed.

        Args:
            cool_down_s: seconds between a failure and the next try.
            clock: seconds, never going back.
        """
        self._cool_down_s, self._clock = cool_down_s, clock
        self._retry_s: float | None = None
        self._lock = Lock()

    @property
    def is_open(self) -> bool:
        """Whether the last thing known is a failure."""
        return self._retry_s is not None

    def allows(self) -> bool:
        """Return whether the caller may try; while open, True for one caller a cool-down."""
        if self._retry_s is None:
            return True
        with self._lock:
            now_s = self._clock()
            if self._retry_s is not None and now_s < self._retry_s:
                return False
            if self._retry_s is not None:
                # The next probe has its time at once, so that one that never reports cannot lock everybody out.
                self._retry_s = now_s + self._cool_down_s
            return True

    def failed(self) -> bool:
        """Open, or stay open for another cool-down; return whether it was closed."""
        with self._lock:
            was_closed = self._retry_s is None
            self._retry_s = self._clock() + self._cool_down_s
            return was_closed

    def succeeded(self) -> bool:
        """Close; return whether it was open."""
        if self._retry_s is None:
            return False
        with self._lock:
            was_open = self._retry_s is not None
            self._retry_s = None
            return was_open
