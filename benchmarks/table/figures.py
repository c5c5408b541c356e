"""Figures beside their targets: what a part promises, what it measured, and the table of both."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

__all__ = ["Figure", "Goal", "Measured", "Percentiles", "figures_of", "median_ratio", "percentiles", "table_markdown"]


@dataclass(frozen=True)
class Percentiles:
    """Latencies in short, in milliseconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Goal:
    """A figure that a part promises, and the limit that it is held against.

    Attributes:
        name: as it stands in the table.
        unit: of the figure, `x` for a ratio.
        limit: the figure must be at most, or at least, this.
        bound: which of the two.
    """

    name: str
    unit: str
    limit: float
    bound: Literal["at most", "at least"] = "at most"


@dataclass(frozen=True)
class Measured:
    """What a part found.

    Attributes:
        values: name of a figure -> its value; goals that are absent stay missing.
        notes: name of a figure -> what the reader must know of it.
        units: of the values that no goal names.
        detail: everything else worth keeping, as JSON.
    """

    values: Mapping[str, float]
    notes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """One line of the table; `value` None = not measured, `goal` None = no target."""

    part: str
    name: str
    value: float | None
    unit: str
    goal: Goal | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; never where nothing was measured; None where there is no target.

        >>> goal = Goal("p50", "ms", 5.0)
        >>> [Figure("compare", "p50", value, "ms", goal).met for value in (4.0, 5.0, 6.0, None)]
        [True, True, False, False]
        """
        if self.goal is None:
            return None
        if self.value is None:
            return False
        return self.value <= self.goal.limit if self.goal.bound == "at most" else self.value >= self.goal.limit

    @property
    def target(self) -> str:
        """The target in words."""
        return "" if self.goal is None else f"{self.goal.bound} {self.goal.limit:g}"

    def to_json(self) -> dict[str, object]:
        """Return the figure as plain values."""
        return {
            "part": self.part,
            "name": self.name,
            "figure": None if self.value is None else round(self.value, 4),
            "unit": self.unit,
            "target": self.target or None,
            "met": self.met,
            "note": self.note,
        }


def percentiles(latencies_ms: Sequence[float]) -> Percentiles:
    """Return p50, p95 and p99, linear between neighbours.

    >>> percentiles([1.0, 2.0, 3.0, 4.0, 5.0])
    Percentiles(p50=3.0, p95=4.8, p99=4.96)
    """
    p50, p95, p99 = (round(float(value), 6) for value in np.percentile(latencies_ms, [50, 95, 99]))
    return Percentiles(p50, p95, p99)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median over rounds of ours / theirs: each round has its own weather, the ratio shares it.

    >>> median_ratio([2.0, 3.0, 8.0], [4.0, 4.0, 4.0])
    0.75
    """
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def figures_of(part: str, goals: Sequence[Goal], measured: Measured | None) -> list[Figure]:
    """Return the lines of one part: every goal, measured or missing, then what has no target."""
    found = measured or Measured({})
    wanted = {goal.name: goal for goal in goals}
    lines = [
        Figure(part, goal.name, found.values.get(goal.name), goal.unit, goal, found.notes.get(goal.name, ""))
        for goal in goals
    ]
    others = [name for name in found.values if name not in wanted]
    return lines + [
        Figure(part, name, found.values[name], found.units.get(name, ""), None, found.notes.get(name, ""))
        for name in others
    ]


def table_markdown(figures: Iterable[Figure]) -> str:
    """Return the table, one line a figure."""
    words = {True: "met", False: "NOT MET", None: ""}
    lines = ["| part | figure | measured | target | | note |", "|---|---|---:|---|---|---|"]
    for figure in figures:
        missing = figure.value is None
        value = "missing" if figure.value is None else f"{_short(figure.value)} {figure.unit}".strip()
        verdict = "missing" if missing else words[figure.met]
        lines.append(f"| {figure.part} | {figure.name} | {value} | {figure.target} | {verdict} | {figure.note} |")
    return "\n".join(lines) + "\n"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
