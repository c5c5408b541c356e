"""How long each stage of one request took. No metric, no log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

__all__ = ["Stopwatch"]


class Stopwatch:
    """Collects milliseconds by stage; one for each request."""

    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the block as stage `name`, also when it raises."""
        start = perf_counter()
        try:
            yield
        finally:
            self.stages_ms[name] = (perf_counter() - start) * 1000
