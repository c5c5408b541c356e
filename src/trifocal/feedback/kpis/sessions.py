"""Sessions as they run: who came back, who bought, how satisfied each one is so far. Bounded.

The score is that of `trifocal.feedback.satisfaction`, part by part, but for `repeat`: whether somebody comes back is
not known of a session that just ended, and what is not known is left out there too. What dwell is usual is learned from
the clicks so far.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from scipy.special import ndtr

from trifocal.feedback.kpis.config import KpiConfig
from trifocal.feedback.kpis.windows import Cell
from trifocal.ports import StoredEvent
from trifocal.types import EventType

__all__ = ["LiveDwell", "LiveSession", "LiveSessions"]

# As in `trifocal.feedback.satisfaction`: the shortest look and the gap that ends a session.
_LEAST_MS, _MOST_MS = 1000, 30 * 60_000
_LEAST_DEVIATION = 1e-6
# Categories times devices that have a usual dwell of their own.
_CELLS_MOST = 5000
_MIN_RATING = 4.0


@dataclass
class LiveSession:
    """One session so far.

    Attributes:
        start_s: when it began, seconds since 1970, UTC.
        last_s: its last event.
        is_known: whether the shopper had a past when it began.
        is_returning: whether the shopper had another live session before.
        cells: cell that the session was counted in -> whether it was counted as converted there.
        scored: cell -> what was counted of its satisfaction there.
    """

    start_s: float
    last_s: float
    is_known: bool
    is_returning: bool
    session_id: str | None = None
    dwell: float = 0.0
    dwells: int = 0
    is_positive: bool = False
    is_converted: bool = False
    cells: dict[Cell, bool] = field(default_factory=dict)
    scored: dict[Cell, float] = field(default_factory=dict)

    def score(self, *, dwell: float, conversion: float) -> float | None:
        """Return the satisfaction in 0..1 by the weights of the two parts, None where no part with a weight is known.

        Dwell .8 and a purchase, weights .6 and .2: (.6 x .8 + .2) / .8 = .85.

        >>> session = LiveSession(0, 0, False, False, dwell=1.6, dwells=2, is_positive=True, is_converted=True)
        >>> round(session.score(dwell=0.6, conversion=0.2), 3)
        0.85
        """
        if not self.is_positive:
            return 0.0
        known = (dwell if self.dwells else 0.0) + conversion
        if known <= 0:
            return None
        mean = self.dwell / self.dwells if self.dwells else 0.0
        return (dwell * mean * bool(self.dwells) + conversion * self.is_converted) / known


class LiveDwell:
    """The usual log dwell of a category on a device, learned click by click. Stability: internal."""

    def __init__(self, min_clicks: int) -> None:
        """Use a cell from `min_clicks` clicks on; all clicks together as well."""
        self._min_clicks = min_clicks
        # count, mean, sum of squared steps: Welford, Technometrics 1962.
        self._cells: dict[tuple[str | None, str | None], list[float]] = {}

    def normalised(self, event: StoredEvent, category: str | None) -> float | None:
        """Return how long the click is, in 0..1 against what is usual, and learn from it; None = not known yet."""
        if event.event != EventType.CLICK or event.dwell_ms is None:
            return None
        log = math.log(min(max(event.dwell_ms, _LEAST_MS), _MOST_MS))
        keys = ((category, event.device), (None, event.device), (None, None))
        found = next((value for key in keys if (value := self._against(key, log)) is not None), None)
        for key in dict.fromkeys(keys):
            self._learn(key, log)
        return found

    def _against(self, key: tuple[str | None, str | None], log: float) -> float | None:
        count, mean, squares = self._cells.get(key, (0, 0.0, 0.0))
        if count < self._min_clicks:
            return None
        deviation = math.sqrt(squares / (count - 1))
        return float(ndtr((log - mean) / deviation)) if deviation > _LEAST_DEVIATION else None

    def _learn(self, key: tuple[str | None, str | None], log: float) -> None:
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= _CELLS_MOST:
                return
            cell = self._cells[key] = [0, 0.0, 0.0]
        cell[0] += 1
        step = log - cell[1]
        cell[1] += step / cell[0]
        cell[2] += step * (log - cell[1])


class LiveSessions:
    """The newest session of each shopper. Used from one thread. Stability: internal."""

    def __init__(self, config: KpiConfig, is_known: Callable[[str], bool]) -> None:
        """Take who had a past before the service began."""
        self._config, self._is_known = config, is_known
        self._sessions: OrderedDict[str, LiveSession] = OrderedDict()
        self._dwell = LiveDwell(config.satisfaction.min_clicks)

    def of(self, event: StoredEvent, at_s: float) -> tuple[LiveSession, bool]:
        """Return the session of an event that is seen at `at_s`, and whether it is a new one."""
        session = self._sessions.get(event.user_id)
        if session is not None and self._goes_on(session, event, at_s):
            session.last_s = max(session.last_s, at_s)
            self._sessions.move_to_end(event.user_id)
            return session, False
        returning = session is not None
        known = returning or self._is_known(event.user_id)
        self._sessions[event.user_id] = found = LiveSession(at_s, at_s, known, returning, event.session_id)
        self._sessions.move_to_end(event.user_id)
        if len(self._sessions) > self._config.sessions_most:
            self._sessions.popitem(last=False)
        return found, True

    def take(self, session: LiveSession, event: StoredEvent, category: str | None) -> None:
        """Let the event count in its session."""
        dwell = self._dwell.normalised(event, category)
        if dwell is not None:
            session.dwell += dwell
            session.dwells += 1
        session.is_positive |= _is_positive(event)
        session.is_converted |= event.event == EventType.PURCHASE

    def forget(self, user_id: str) -> None:
        """Drop the session of a shopper who is deleted."""
        self._sessions.pop(user_id, None)

    def _goes_on(self, session: LiveSession, event: StoredEvent, at_s: float) -> bool:
        return session.session_id == event.session_id and at_s - session.last_s <= self._config.session_gap_s


def _is_positive(event: StoredEvent) -> bool:
    if event.event == EventType.RATING:
        return event.value is None or event.value >= _MIN_RATING
    return event.event in (EventType.CLICK, EventType.CART, EventType.PURCHASE)
