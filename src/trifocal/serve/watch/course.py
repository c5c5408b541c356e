"""Key figures and rungs of the last hour, point by point, so that whoever opens the dashboard sees where it comes from.

Bounded: so many moments, at each a point for everything and one for each variant. No clock of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trifocal.feedback.kpis import CellKpis, WindowKpis

__all__ = ["Course", "CoursePoint"]

_TOLD = ("all", "variant")


@dataclass(frozen=True)
class CoursePoint:
    """Figures of the window that ended at a moment; None where nothing was observed.

    Attributes:
        at_s: seconds since 1970, UTC.
        variant: which variant; empty = all together.
        rung: in force on the ladder of the variant; that of the first one, for all.
        impressions: items that were shown.
        answers: to requests for recommendations.
        ctr: clicks an impression.
        conversion: share of the sessions in which something was bought, 0..1.
        satisfaction: mean of the sessions, 0..1.
        failed: share of the answers that were errors.
        fallen: share of the answers by a lower rung than `full`.
        p50_ms: time to answer.
        p95_ms: likewise.
    """

    at_s: float
    variant: str
    rung: str
    impressions: int
    answers: int
    ctr: float | None
    conversion: float | None
    satisfaction: float | None
    failed: float | None
    fallen: float | None
    p50_ms: float | None
    p95_ms: float | None


class Course:
    """Remembers the newest points. Used from one thread at a time. Stability: internal."""

    def __init__(self, every_s: float, moments: int) -> None:
        """Remember nothing yet.

        Args:
            every_s: seconds between two moments.
            moments: how many are kept.
        """
        self._every_s, self._due_s = every_s, float("-inf")
        self._moments: deque[tuple[CoursePoint, ...]] = deque(maxlen=moments)

    def is_due(self, now_s: float) -> bool:
        """Return whether it is time for the next moment."""
        return now_s >= self._due_s

    def take(self, window: WindowKpis, rungs: Mapping[str, str], now_s: float) -> None:
        """Remember the figures of `window`, and the rung in force by variant, the first of them that of the bundle."""
        self._due_s = now_s + self._every_s
        self._moments.append(tuple(_points(window, rungs, now_s)))

    def since(self, at_s: float) -> tuple[CoursePoint, ...]:
        """Return the points after `at_s`, seconds since 1970, UTC, oldest first."""
        return tuple(point for moment in self._moments for point in moment if point.at_s > at_s)


def _points(window: WindowKpis, rungs: Mapping[str, str], now_s: float) -> Iterator[CoursePoint]:
    first = next(iter(rungs.values()), "")
    cells = {cell.value: cell for cell in window.cells if cell.dimension in _TOLD}
    # Rungs are told of a variant that nobody asked yet as well.
    for name in ("", *dict.fromkeys((*rungs, *(name for name in cells if name)))):
        yield _point(name, rungs.get(name, first), cells.get(name), now_s)


def _point(variant: str, rung: str, cell: CellKpis | None, now_s: float) -> CoursePoint:
    if cell is None:
        return CoursePoint(now_s, variant, rung, 0, 0, *[None] * 7)
    return CoursePoint(
        at_s=now_s,
        variant=variant,
        rung=rung,
        impressions=cell.impressions,
        answers=cell.answers,
        ctr=cell.ctr.value,
        conversion=cell.conversion.value,
        satisfaction=cell.satisfaction.value,
        failed=cell.failed.value,
        fallen=cell.fallen.value,
        p50_ms=cell.p50_ms,
        p95_ms=cell.p95_ms,
    )
