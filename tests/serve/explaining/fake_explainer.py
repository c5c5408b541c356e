"""A model that can be explained, or not: it says of every item that its first word counts, and which query it heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.serve.small_service import NOW_S, small_bundle

from trifocal.explain.explanation import Explanation, Nearest, Shares, Word
from trifocal.feedback import MemoryEventStore
from trifocal.serve import Engine, ServeConfig, Service, build_service
from trifocal.serve.catalogue import Catalogue
from trifocal.types import IntArray, Request

from tests.bundle.small_bundle import WordEncoder  # isort: skip


@dataclass
class FakeSource:
    """Makes explainers that say what they were asked.

    Attributes:
        fault: raised by whatever is asked, or by `over` where `at_load`.
        bad_rows: of items that cannot be explained.
        gate: waited for before an answer.
    """

    fault: Exception | None = None
    at_load: bool = False
    bad_rows: tuple[int, ...] = ()
    gate: threading.Event | None = None
    loaded: int = 0
    asked: list[tuple[list[int], Request, str | None]] = field(default_factory=list)

    def over(self, engine: Engine, catalogue: Catalogue, picture: Callable[[int], Path | None]) -> FakeExplainer:
        self.loaded += 1
        if self.fault is not None and self.at_load:
            raise self.fault
        return FakeExplainer(self, catalogue, picture)


@dataclass
class FakeExplainer:
    source: FakeSource
    catalogue: Catalogue
    picture: Callable[[int], Path | None]

    def explain(self, request: Request, item_rows: IntArray, query: str | None = None) -> Sequence[Explanation]:
        self.source.asked.append((item_rows.tolist(), request, query))
        if self.source.gate is not None:
            assert self.source.gate.wait(5)
        if self.source.fault is not None:
            raise self.source.fault
        if set(item_rows.tolist()) & set(self.source.bad_rows):
            raise ValueError("a row cannot be explained")
        return [self._of(row, request, query) for row in item_rows.tolist()]

    def _of(self, row: int, request: Request, query: str | None) -> Explanation:
        history = request.history.item_rows
        nearest = None if not len(history) else Nearest(int(history[-1]), 0.5, ("dress",), ("red",), "Fashion")
        title = self.catalogue.title(row)
        return Explanation(
            item_row=row,
            score=float(row),
            words=(Word(title.split()[0], 0.25),),
            cells=((0.5, -0.25),) if self.picture(row) else (),
            shares=Shares(0.25, 0.75, 0.0, 0.0, 0.0),
            nearest=nearest,
            sentence=f"{title} for {query or 'nobody'}.",
            completeness_error=0.01,
        )


def explained_service(folder: Path, source: FakeSource | None, config: ServeConfig | None = None) -> Service:
    """Return the service of the small bundle; its clock stands at `NOW_S`."""
    return build_service(
        small_bundle(folder),
        MemoryEventStore(),
        encoder=WordEncoder,
        explaining=source,
        config=config,
        clock=lambda: NOW_S,
    )
