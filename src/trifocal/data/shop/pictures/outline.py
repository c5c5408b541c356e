"""Outlines: smooth curves and the parts a product is drawn from. Imports nothing from this package.

Places lie in the unit square, x to the right, y down.
A point is (x, y); (x, y, "c") is a corner, at which the curve may break. Between corners the curve is a Catmull-Rom
spline; two neighbouring corners are joined by a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Part", "Point", "Points", "Role", "blob", "both_sides", "fill", "mirrored", "pair", "stroke", "trace"]

Point = tuple[float, float] | tuple[float, float, str]
Points = npt.NDArray[np.float64]
# fabric = colour, pattern and material of the product; tone = its plain colour, darker; the rest is neutral.
Role = Literal["fabric", "tone", "inside", "light", "dark", "metal", "wood", "glow"]
_STEPS = 7


@dataclass(frozen=True)
class Part:
    """One layer of a drawing.

    Attributes:
        points: (n, 2) vertices in the unit square.
        role: what it is made of.
        width: line width in units of the square; 0 = a filled area.
        relief: how round it looks, 0 = flat, 1 = usual.
    """

    points: Points
    role: Role = "fabric"
    width: float = 0.0
    relief: float = 1.0


def fill(points: Sequence[Point], role: Role = "fabric", relief: float = 1.0) -> Part:
    """Return the filled closed curve through `points`."""
    return Part(trace(points, closed=True), role, 0.0, relief)


def stroke(points: Sequence[Point], role: Role = "dark", width: float = 0.006) -> Part:
    """Return the open curve through `points`, drawn as a line."""
    return Part(trace(points, closed=False), role, width, 0.0)


def blob(centre: tuple[float, float], radii: tuple[float, float], role: Role = "fabric", relief: float = 1.0) -> Part:
    """Return a filled ellipse."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    points = np.stack([centre[0] + radii[0] * np.cos(angle), centre[1] + radii[1] * np.sin(angle)], axis=1)
    return Part(points, role, 0.0, relief)


def both_sides(half: Sequence[Point]) -> list[Point]:
    """Return a closed outline, symmetric about x = 0.5, from its right half (top middle to bottom middle)."""
    left = [_flipped(point) for point in reversed(half) if abs(point[0] - 0.5) > 1e-9]
    return [*half, *left]


def mirrored(part: Part) -> Part:
    """Return `part` mirrored about x = 0.5."""
    return Part(part.points * [-1, 1] + [1, 0], part.role, part.width, part.relief)


def pair(part: Part) -> tuple[Part, Part]:
    """Return `part` and its mirror image: sleeves, pockets, legs."""
    return part, mirrored(part)


def _flipped(point: Point) -> Point:
    return (1 - point[0], point[1], "c") if len(point) == 3 else (1 - point[0], point[1])


def trace(points: Sequence[Point], *, closed: bool) -> Points:
    """Return the vertices (n, 2) of the curve through `points`.

    >>> trace([(0, 0, "c"), (1, 0, "c"), (1, 1, "c")], closed=True).tolist()
    [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    """
    places = np.array([point[:2] for point in points], dtype=np.float64)
    corner = [len(point) == 3 for point in points]
    if closed and any(corner):
        # Start at a corner, so that the runs between corners are open curves.
        first = corner.index(True)
        places, corner = np.roll(places, -first, axis=0), corner[first:] + corner[:first]
    if closed:
        places, corner = np.vstack([places, places[:1]]), [*corner, corner[0]]
    if closed and not any(corner):
        return _spline(np.vstack([places[-2:-1], places, places[1:2]]))[:-1]
    corner[0] = corner[-1] = True
    stops = np.flatnonzero(corner)
    runs = [_run(places[start : stop + 1])[:-1] for start, stop in pairwise(stops)]
    return np.vstack(runs) if closed else np.vstack([*runs, places[-1:]])


def _run(places: Points) -> Points:
    """Return the open curve through `places`; its ends are extended by reflection."""
    if len(places) == 2:
        return places
    before, after = 2 * places[0] - places[1], 2 * places[-1] - places[-2]
    return _spline(np.vstack([before, places, after]))


def _spline(controls: Points) -> Points:
    """Return the uniform Catmull-Rom curve from `controls[1]` to `controls[-2]`."""
    t = np.linspace(0, 1, _STEPS, endpoint=False)[None, :, None]
    a, b, c, d = (controls[k : len(controls) - 3 + k, None, :] for k in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.vstack([curve.reshape(-1, 2), controls[-2:-1]])
