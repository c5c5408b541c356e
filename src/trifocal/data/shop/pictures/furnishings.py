"""Silhouettes of lamps, chairs, mugs and cushions: slim, relaxed, dramatic. Numbers are places in the unit square."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trifocal.data.shop.pictures.outline import Part, Point, blob, both_sides, fill, pair, stroke

__all__ = ["FURNISHINGS"]

Drawing = tuple[Part, ...]
Sketch = Callable[[], Drawing]
C = "c"


def _slim_lamp() -> Drawing:
    return (
        blob((0.5, 0.885), (0.15, 0.028), "metal", 1.0),
        fill([(0.488, 0.42, C), (0.512, 0.42, C), (0.512, 0.88, C), (0.488, 0.88, C)], "metal", 1.0),
        blob((0.5, 0.445), (0.20, 0.03), "glow", 0.2),
        fill(both_sides([(0.5, 0.13), (0.585, 0.13, C), (0.715, 0.445, C), (0.5, 0.468)])),
        stroke([(0.415, 0.134), (0.5, 0.138), (0.585, 0.134)], "tone", 0.010),
        stroke([(0.287, 0.445), (0.5, 0.468), (0.713, 0.445)], "tone", 0.010),
    )


def _relaxed_lamp() -> Drawing:
    base = both_sides(
        [(0.5, 0.50), (0.545, 0.51, C), (0.56, 0.57), (0.655, 0.68), (0.665, 0.79), (0.585, 0.88, C), (0.5, 0.887)]
    )
    return (
        fill(base, "light", 1.3),
        fill([(0.487, 0.43, C), (0.513, 0.43, C), (0.513, 0.515, C), (0.487, 0.515, C)], "metal", 0.8),
        blob((0.5, 0.455), (0.23, 0.028), "glow", 0.2),
        fill(both_sides([(0.5, 0.155), (0.66, 0.15, C), (0.715, 0.20), (0.735, 0.455, C), (0.5, 0.482)])),
        stroke([(0.267, 0.455), (0.5, 0.482), (0.733, 0.455)], "tone", 0.010),
    )


def _dramatic_lamp() -> Drawing:
    return (
        blob((0.30, 0.90), (0.15, 0.026), "dark", 1.0),
        stroke([(0.30, 0.89), (0.26, 0.50), (0.36, 0.17), (0.56, 0.10), (0.67, 0.21)], "metal", 0.022),
        blob((0.67, 0.515), (0.215, 0.04), "glow", 0.3),
        fill(
            [
                (0.635, 0.205, C),
                (0.705, 0.205, C),
                (0.82, 0.30),
                (0.895, 0.505, C),
                (0.67, 0.54),
                (0.445, 0.505, C),
                (0.52, 0.30),
            ]
        ),
        blob((0.67, 0.205), (0.036, 0.018), "metal", 0.9),
        stroke([(0.447, 0.503), (0.67, 0.538), (0.893, 0.503)], "tone", 0.012),
    )


def _slim_chair() -> Drawing:
    return (
        *(
            stroke([top, bottom], "wood", 0.024)
            for top, bottom in (((0.64, 0.60), (0.665, 0.84)), ((0.36, 0.60), (0.335, 0.84)))
        ),
        fill(both_sides([(0.5, 0.10), (0.64, 0.105), (0.69, 0.14), (0.675, 0.50, C), (0.5, 0.505)])),
        fill(both_sides([(0.5, 0.495), (0.69, 0.495, C), (0.755, 0.60), (0.75, 0.645, C), (0.5, 0.655)])),
        stroke([(0.285, 0.65), (0.265, 0.93)], "wood", 0.030),
        stroke([(0.715, 0.65), (0.735, 0.93)], "wood", 0.030),
        stroke([(0.255, 0.605), (0.5, 0.615), (0.745, 0.605)], "tone", 0.005),
    )


def _relaxed_chair() -> Drawing:
    arm = fill(
        [(0.745, 0.45), (0.80, 0.42), (0.865, 0.46), (0.865, 0.76), (0.84, 0.80, C), (0.74, 0.80, C), (0.735, 0.60)]
    )
    return (
        *pair(stroke([(0.77, 0.80), (0.80, 0.91)], "wood", 0.034)),
        fill(both_sides([(0.5, 0.14), (0.66, 0.15), (0.76, 0.23), (0.775, 0.50), (0.76, 0.72, C), (0.5, 0.73)])),
        fill(both_sides([(0.5, 0.70), (0.74, 0.69, C), (0.745, 0.805, C), (0.5, 0.815)]), "tone", 0.8),
        fill(both_sides([(0.5, 0.575), (0.70, 0.575), (0.755, 0.61), (0.755, 0.69), (0.70, 0.72), (0.5, 0.725)])),
        *pair(arm),
        *(blob((x, 0.34), (0.009, 0.009), "tone", 0.4) for x in (0.40, 0.5, 0.60)),
    )


def _dramatic_chair() -> Drawing:
    shell = both_sides(
        [(0.5, 0.065), (0.70, 0.11), (0.845, 0.28), (0.87, 0.47), (0.79, 0.63), (0.63, 0.705), (0.5, 0.72)]
    )
    return (
        blob((0.5, 0.91), (0.20, 0.026), "metal", 1.0),
        fill([(0.48, 0.69, C), (0.52, 0.69, C), (0.53, 0.905, C), (0.47, 0.905, C)], "metal", 1.0),
        fill(shell, "fabric", 1.1),
        fill(
            both_sides([(0.5, 0.13), (0.66, 0.165), (0.77, 0.30), (0.775, 0.47), (0.70, 0.56), (0.5, 0.59)]),
            "tone",
            1.2,
        ),
        fill(both_sides([(0.5, 0.50), (0.64, 0.495), (0.735, 0.54), (0.68, 0.635), (0.5, 0.665)]), "fabric", 1.3),
    )


def _handle(points: list[Point], width: float) -> Part:
    return stroke(points, "tone", width)


def _slim_mug() -> Drawing:
    return (
        _handle([(0.64, 0.32), (0.80, 0.345), (0.82, 0.50), (0.78, 0.63), (0.63, 0.67)], 0.048),
        fill(
            [
                (0.27, 0.20, C),
                (0.67, 0.20, C),
                (0.655, 0.80),
                (0.61, 0.855),
                (0.47, 0.868),
                (0.33, 0.855),
                (0.285, 0.80),
            ]
        ),
        blob((0.47, 0.20), (0.20, 0.042), "light", 0.5),
        blob((0.47, 0.207), (0.178, 0.031), "inside", 0.3),
    )


def _relaxed_mug() -> Drawing:
    return (
        _handle([(0.66, 0.44), (0.83, 0.44), (0.875, 0.55), (0.80, 0.67), (0.65, 0.70)], 0.050),
        fill(
            [
                (0.245, 0.34, C),
                (0.695, 0.34, C),
                (0.745, 0.55),
                (0.70, 0.73),
                (0.60, 0.815),
                (0.47, 0.83),
                (0.34, 0.815),
                (0.24, 0.73),
                (0.195, 0.55),
            ]
        ),
        blob((0.47, 0.34), (0.225, 0.050), "light", 0.5),
        blob((0.47, 0.348), (0.203, 0.038), "inside", 0.3),
    )


def _dramatic_mug() -> Drawing:
    return (
        _handle([(0.70, 0.36), (0.86, 0.30), (0.90, 0.40), (0.81, 0.53), (0.62, 0.63)], 0.036),
        blob((0.46, 0.84), (0.26, 0.035), "light", 1.0),
        fill([(0.335, 0.78, C), (0.585, 0.78, C), (0.565, 0.84, C), (0.355, 0.84, C)], "tone", 0.9),
        fill(
            [
                (0.16, 0.27, C),
                (0.76, 0.27, C),
                (0.71, 0.53),
                (0.60, 0.72),
                (0.585, 0.80, C),
                (0.46, 0.81),
                (0.335, 0.80, C),
                (0.32, 0.72),
                (0.21, 0.53),
            ]
        ),
        blob((0.46, 0.27), (0.30, 0.058), "light", 0.5),
        blob((0.46, 0.279), (0.277, 0.045), "inside", 0.3),
    )


def _slim_cushion() -> Drawing:
    outline: list[Point] = [
        (0.16, 0.17, C),
        (0.5, 0.20),
        (0.84, 0.17, C),
        (0.815, 0.5),
        (0.84, 0.84, C),
        (0.5, 0.815),
        (0.16, 0.84, C),
        (0.185, 0.5),
    ]
    return (
        fill(outline, "fabric", 1.5),
        stroke([*outline, outline[0]], "tone", 0.010),
        *(
            stroke(
                [(0.16 + 0.68 * x, 0.17 + 0.67 * y), (0.5 + (x - 0.5) * 0.42, 0.5 + (y - 0.5) * 0.46)], "tone", 0.003
            )
            for x in (0, 1)
            for y in (0, 1)
        ),
    )


def _relaxed_cushion() -> Drawing:
    rays = [(float(np.cos(a)), float(np.sin(a))) for a in np.arange(0, 2 * np.pi, np.pi / 6)]
    return (
        blob((0.5, 0.52), (0.36, 0.345), "fabric", 1.6),
        *(
            stroke([(0.5 + 0.05 * x, 0.52 + 0.05 * y), (0.5 + 0.33 * x, 0.52 + 0.315 * y)], "tone", 0.004)
            for x, y in rays
        ),
        blob((0.5, 0.52), (0.035, 0.034), "tone", 1.0),
    )


def _dramatic_cushion() -> Drawing:
    outline: list[Point] = [
        (0.13, 0.33, C),
        (0.5, 0.35),
        (0.87, 0.33, C),
        (0.855, 0.52),
        (0.87, 0.71, C),
        (0.5, 0.695),
        (0.13, 0.71, C),
        (0.145, 0.52),
    ]
    fringe = [
        stroke([(x, y), (x + dx, y)], "tone", 0.010)
        for y in np.linspace(0.345, 0.70, 13)
        for x, dx in ((0.14, -0.085), (0.86, 0.085))
    ]
    return (
        *fringe,
        fill(outline, "fabric", 1.4),
        fill([(0.235, 0.345, C), (0.285, 0.346, C), (0.285, 0.70, C), (0.235, 0.701, C)], "tone", 0.5),
        fill([(0.715, 0.346, C), (0.765, 0.345, C), (0.765, 0.701, C), (0.715, 0.70, C)], "tone", 0.5),
    )


FURNISHINGS: dict[str, tuple[Sketch, Sketch, Sketch]] = {
    "lamp": (_slim_lamp, _relaxed_lamp, _dramatic_lamp),
    "chair": (_slim_chair, _relaxed_chair, _dramatic_chair),
    "mug": (_slim_mug, _relaxed_mug, _dramatic_mug),
    "cushion": (_slim_cushion, _relaxed_cushion, _dramatic_cushion),
}
