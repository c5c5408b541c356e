"""Where a question steps onto the ladder: at the rung in force, or as a probe at a higher one. Knows no model."""

from __future__ import annotations

import itertools

__all__ = ["RUNGS", "Entrance"]

RUNGS: tuple[str, ...] = ("full", "retrieval", "memory", "last", "popular")
"""The ladder, best first; a rung's number is its place here."""


class Entrance:
    """Tells each question the first rung that it is asked of. Safe to use from several threads. Stability: internal.

    >>> entrance = Entrance()
    >>> entrance.first()
    0
    >>> entrance.open(2, probed=1, every=3)
    >>> [entrance.first() for _ in range(6)]
    [2, 2, 1, 2, 2, 1]

    Attributes:
        probes: how many there were since probing began.
    """

    def __init__(self) -> None:
        # One value, put in place in one assignment: nobody reads half of a change.
        self._state = (0, 0, 0)
        self._asked = itertools.count(1)
        self.probes = 0

    @property
    def rung(self) -> int:
        """The rung in force."""
        return self._state[0]

    def open(self, rung: int, *, probed: int | None = None, every: int = 0) -> None:
        """Let questions step on at `rung` from now on.

        Args:
            rung: number of the rung in force.
            probed: a higher rung that a few questions are asked of; None = none.
            every: of so many questions one is a probe.
        """
        self._asked, self.probes = itertools.count(1), 0
        self._state = (rung, rung if probed is None else probed, 0 if probed is None else every)

    def first(self) -> int:
        """Return the number of the first rung that this question is asked of."""
        rung, probed, every = self._state
        if not every:
            return rung
        place = next(self._asked)
        if place % every:
            return rung
        self.probes = place // every
        return probed
