"""Events and answers -> key figures of the last minutes, hour, day, in all and apart. Bounded; no clock of its own.

```
events ──► session ──► cells: all, variant, segment, device, category, rung ──► windows ──► snapshot
answers ─────────────► cells: all, variant, rung ─────────────────────────────────┘
```
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trifocal.feedback.kpis.config import KpiConfig
from trifocal.feedback.kpis.estimates import Estimate, mean_estimate, share_estimate
from trifocal.feedback.kpis.sessions import LiveSession, LiveSessions
from trifocal.feedback.kpis.windows import Cell, Tally, Windows, quantile_ms
from trifocal.ports import StoredEvent
from trifocal.types import EventType

__all__ = ["CellKpis", "Kpis", "WindowKpis"]

_ALL: Cell = ("all", "")
_OTHER = "other"


@dataclass(frozen=True)
class CellKpis:
    """The key figures of one cell in one window.

    Attributes:
        dimension: `all`, `variant`, `segment` (new or known shoppers), `device`, `category` (first level), `rung`.
        value: which of them.
        impressions: items that were shown.
        clicks: of them and beside.
        ctr: clicks an impression.
        sessions: that began in the window.
        conversion: share of them in which something was bought.
        satisfaction: mean of them; see `trifocal.feedback.satisfaction`; not told by category and rung.
        repeat: share of them whose shopper had come before.
        coverage: share of the catalogue that was shown; in all and by variant only.
        answers: to requests for recommendations.
        failed: share of them that were errors.
        fallen: share of them by a lower rung than `full`.
        cached: share of them that were there already.
        p50_ms: time to answer.
        p95_ms: likewise.
    """

    dimension: str
    value: str
    impressions: int
    clicks: int
    carts: int
    purchases: int
    sessions: int
    answers: int
    ctr: Estimate
    conversion: Estimate
    satisfaction: Estimate
    repeat: Estimate
    failed: Estimate
    fallen: Estimate
    cached: Estimate
    coverage: float | None
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True)
class WindowKpis:
    """All cells of one window; the first is that of everything, if anything was seen."""

    seconds: int
    cells: tuple[CellKpis, ...]


class Kpis:
    """Counts what happens. Used from one thread. Stability: caller."""

    def __init__(
        self,
        config: KpiConfig,
        *,
        category: Callable[[str], str | None] = lambda _item_id: None,
        is_known: Callable[[str], bool] = lambda _user_id: False,
    ) -> None:
        """Count nothing yet.

        Args:
            config: windows and bounds.
            category: item id -> its category, a path; None = unknown.
            is_known: user id -> whether the shopper has a past in the bundle.
        """
        self._config, self._category = config, category
        self._windows = Windows(config.windows_s, config.buckets)
        self._sessions = LiveSessions(config, is_known)
        self._values: dict[str, set[str]] = {}
        # Item -> when it was last shown, the newest last; by variant, and for all.
        self._shown: dict[Cell, OrderedDict[str, float]] = {}

    def observe_events(self, events: Sequence[StoredEvent], now_s: float) -> None:
        """Count events that were stored at `now_s`, seconds since 1970, UTC; their own time may be any."""
        for event in events:
            self._observe(event, now_s)

    def observe_answer(
        self, *, variant: str, rung: str | None, milliseconds: float, cached: bool, now_s: float
    ) -> None:
        """Count an answer to a request for recommendations; without a rung it was an error."""
        cells = [_ALL, self._cell("variant", variant), *([self._cell("rung", rung)] if rung else [])]
        for cell in cells:
            for tally in self._windows.tallies(cell, now_s):
                tally.answers += 1
                tally.failed += rung is None
                tally.fallen += rung is not None and rung != "full"
                tally.cached += cached
                tally.timed(milliseconds)

    def forget(self, user_id: str) -> None:
        """Drop what is remembered of a shopper who is deleted; counts stay."""
        self._sessions.forget(user_id)

    def snapshot(self, now_s: float, catalogue_size: int) -> tuple[WindowKpis, ...]:
        """Return the figures of each window that ends at `now_s`."""
        return tuple(self._window(seconds, now_s, catalogue_size) for seconds in self._config.windows_s)

    def _observe(self, event: StoredEvent, now_s: float) -> None:
        category = self._category(event.item_id)
        session, _ = self._sessions.of(event, now_s)
        self._sessions.take(session, event, category)
        of_item = list(self._cells_of_item(event, category))
        of_session = [_ALL, *self._cells_of_session(event, session)]
        for cell in (*of_session, *of_item):
            for tally in self._windows.tallies(cell, now_s):
                _count(tally, event.event)
            self._count_session(session, cell, event)
        self._count_satisfaction(session, of_session)
        if event.event == EventType.IMPRESSION:
            self._count_shown(event, now_s)

    def _cells_of_session(self, event: StoredEvent, session: LiveSession) -> Iterator[Cell]:
        yield "segment", "known" if session.is_known else "new"
        if event.variant:
            yield self._cell("variant", event.variant)
        if event.device:
            yield self._cell("device", event.device)

    def _cells_of_item(self, event: StoredEvent, category: str | None) -> Iterator[Cell]:
        if category:
            yield self._cell("category", category.partition(">")[0].strip())
        if event.rung:
            yield self._cell("rung", event.rung)

    def _cell(self, dimension: str, value: str) -> Cell:
        values = self._values.setdefault(dimension, set())
        if value not in values:
            if len(values) >= self._config.values_most:
                return dimension, _OTHER
            values.add(value)
        return dimension, value

    def _count_session(self, session: LiveSession, cell: Cell, event: StoredEvent) -> None:
        """A session counts once in each of its cells, in the bucket that it began in."""
        bought, counted = event.event == EventType.PURCHASE, session.cells.get(cell)
        if counted is not None and (counted or not bought):
            return
        session.cells[cell] = bought
        for tally in self._windows.tallies(cell, session.start_s):
            tally.sessions += counted is None
            tally.returning += counted is None and session.is_returning
            tally.converted += bought

    def _count_satisfaction(self, session: LiveSession, cells: Sequence[Cell]) -> None:
        """Put the score as it is now in the place of what was counted of it before."""
        weights = self._config.satisfaction
        score = session.score(dwell=weights.dwell, conversion=weights.conversion) or 0.0
        for cell in cells:
            before = session.scored.get(cell, 0.0)
            session.scored[cell] = score
            for tally in self._windows.tallies(cell, session.start_s):
                tally.satisfaction += score - before
                tally.satisfaction_squares += score * score - before * before

    def _count_shown(self, event: StoredEvent, now_s: float) -> None:
        for cell in (_ALL, *([self._cell("variant", event.variant)] if event.variant else [])):
            shown = self._shown.setdefault(cell, OrderedDict())
            shown[event.item_id] = now_s
            shown.move_to_end(event.item_id)
            if len(shown) > self._config.items_most:
                shown.popitem(last=False)

    def _window(self, seconds: int, now_s: float, catalogue_size: int) -> WindowKpis:
        sums = self._windows.sums(seconds, now_s)
        cells = sorted(sums, key=lambda cell: (cell != _ALL, cell))
        return WindowKpis(
            seconds,
            tuple(_kpis(cell, sums[cell], self._coverage(cell, now_s - seconds, catalogue_size)) for cell in cells),
        )

    def _coverage(self, cell: Cell, since_s: float, catalogue_size: int) -> float | None:
        shown = self._shown.get(cell)
        if shown is None or catalogue_size <= 0:
            return None
        count = 0
        for at_s in reversed(shown.values()):
            if at_s < since_s:
                break
            count += 1
        return min(count / catalogue_size, 1.0)


def _count(tally: Tally, kind: str) -> None:
    match kind:
        case EventType.IMPRESSION:
            tally.impressions += 1
        case EventType.CLICK:
            tally.clicks += 1
        case EventType.CART:
            tally.carts += 1
        case EventType.PURCHASE:
            tally.purchases += 1


def _kpis(cell: Cell, tally: Tally, coverage: float | None) -> CellKpis:
    scored = 0 if cell[0] in ("category", "rung") else tally.sessions
    return CellKpis(
        dimension=cell[0],
        value=cell[1],
        impressions=tally.impressions,
        clicks=tally.clicks,
        carts=tally.carts,
        purchases=tally.purchases,
        sessions=tally.sessions,
        answers=tally.answers,
        ctr=share_estimate(tally.clicks, tally.impressions),
        conversion=share_estimate(tally.converted, tally.sessions),
        satisfaction=mean_estimate(tally.satisfaction, tally.satisfaction_squares, scored),
        repeat=share_estimate(tally.returning, tally.sessions),
        failed=share_estimate(tally.failed, tally.answers),
        fallen=share_estimate(tally.fallen, tally.answers),
        cached=share_estimate(tally.cached, tally.answers),
        coverage=coverage,
        p50_ms=quantile_ms(tally.latencies, 0.5),
        p95_ms=quantile_ms(tally.latencies, 0.95),
    )
