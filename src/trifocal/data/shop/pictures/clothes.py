"""Silhouettes of dresses and trousers; each slim, relaxed, dramatic. Numbers are places in the unit square."""

from __future__ import annotations

from collections.abc import Callable

from trifocal.data.shop.pictures.outline import Part, blob, both_sides, fill, pair, stroke

__all__ = ["CLOTHES"]

Drawing = tuple[Part, ...]
Sketch = Callable[[], Drawing]
C = "c"


def _slim_dress() -> Drawing:
    return (
        fill(both_sides([(0.5, 0.13), (0.555, 0.10, C), (0.5, 0.16)]), "inside", 0.2),
        fill(
            both_sides(
                [
                    (0.5, 0.225),
                    (0.55, 0.19),
                    (0.565, 0.09, C),
                    (0.605, 0.095, C),
                    (0.60, 0.19),
                    (0.655, 0.285, C),
                    (0.625, 0.42),
                    (0.655, 0.56),
                    (0.655, 0.70),
                    (0.635, 0.885, C),
                    (0.5, 0.895),
                ]
            ),
        ),
        stroke(both_sides([(0.5, 0.225), (0.55, 0.19), (0.565, 0.09, C)])[:3], "tone", 0.007),
        stroke([(0.38, 0.43), (0.5, 0.445), (0.62, 0.43)], "tone", 0.006),
        stroke([(0.5, 0.445), (0.5, 0.895)], "tone", 0.003),
        stroke([(0.43, 0.36), (0.445, 0.43)], "tone", 0.003),
        stroke([(0.57, 0.36), (0.555, 0.43)], "tone", 0.003),
    )


def _relaxed_dress() -> Drawing:
    sleeve = fill([(0.60, 0.115, C), (0.66, 0.13), (0.745, 0.30, C), (0.665, 0.345, C), (0.62, 0.24)])
    return (
        blob((0.5, 0.125), (0.085, 0.03), "inside", 0.2),
        *pair(sleeve),
        fill(
            both_sides(
                [
                    (0.5, 0.165),
                    (0.55, 0.15),
                    (0.585, 0.105, C),
                    (0.635, 0.125, C),
                    (0.64, 0.30),
                    (0.655, 0.42),
                    (0.70, 0.62),
                    (0.745, 0.80, C),
                    (0.62, 0.83),
                    (0.5, 0.835),
                ]
            ),
        ),
        stroke([(0.345, 0.44), (0.5, 0.46), (0.655, 0.44)], "tone", 0.006),
        stroke([(0.30, 0.76), (0.5, 0.795), (0.70, 0.76)], "tone", 0.004),
        stroke([(0.5, 0.165), (0.5, 0.30)], "tone", 0.004),
        *(blob((0.5, y), (0.008, 0.008), "light", 0.5) for y in (0.20, 0.24, 0.28)),
    )


def _dramatic_dress() -> Drawing:
    sleeve = fill([(0.60, 0.10, C), (0.70, 0.095), (0.775, 0.19), (0.75, 0.30), (0.685, 0.335, C), (0.64, 0.29)])
    skirt = fill(
        both_sides(
            [
                (0.5, 0.385),
                (0.575, 0.385, C),
                (0.66, 0.53),
                (0.78, 0.74),
                (0.87, 0.90, C),
                (0.80, 0.925),
                (0.72, 0.905),
                (0.64, 0.93),
                (0.57, 0.91),
                (0.5, 0.93),
            ]
        ),
    )
    bodice = fill(
        both_sides([(0.5, 0.215), (0.57, 0.125, C), (0.64, 0.105, C), (0.64, 0.26), (0.58, 0.39, C), (0.5, 0.40)])
    )
    folds = [
        stroke([(0.5 + d * 0.25, 0.43), (0.5 + d * 0.6, 0.66), (0.5 + d, 0.90)], "tone", 0.004)
        for d in (0.10, 0.22, 0.32)
    ]
    return (
        fill(both_sides([(0.5, 0.14), (0.57, 0.12, C), (0.5, 0.2)]), "inside", 0.2),
        skirt,
        *(part for fold in folds for part in pair(fold)),
        bodice,
        *pair(sleeve),
        fill([(0.415, 0.372, C), (0.585, 0.372, C), (0.588, 0.412, C), (0.412, 0.412, C)], "tone", 0.6),
    )


def _waist(right: float) -> tuple[Part, ...]:
    left = 1 - right
    return (
        fill(
            [
                (left, 0.10, C),
                (0.5, 0.108),
                (right, 0.10, C),
                (right + 0.004, 0.15, C),
                (0.5, 0.158),
                (left - 0.004, 0.15, C),
            ],
            "tone",
            0.6,
        ),
        blob((0.5, 0.13), (0.011, 0.011), "metal", 0.8),
    )


def _slim_trousers() -> Drawing:
    leg = fill(
        [
            (0.5, 0.14, C),
            (0.635, 0.13, C),
            (0.665, 0.30),
            (0.635, 0.60),
            (0.605, 0.92, C),
            (0.525, 0.925, C),
            (0.52, 0.62),
            (0.5, 0.36, C),
        ]
    )
    return (
        *pair(leg),
        *_waist(0.632),
        stroke([(0.5, 0.16), (0.5, 0.36)], "tone", 0.006),
        *pair(stroke([(0.57, 0.165), (0.60, 0.215), (0.648, 0.235)], "tone", 0.005)),
        *pair(stroke([(0.578, 0.30), (0.57, 0.90)], "tone", 0.003)),
    )


def _relaxed_trousers() -> Drawing:
    leg = fill(
        [
            (0.5, 0.14, C),
            (0.645, 0.13, C),
            (0.70, 0.30),
            (0.735, 0.52),
            (0.74, 0.655, C),
            (0.56, 0.675, C),
            (0.53, 0.50),
            (0.5, 0.40, C),
        ]
    )
    cuff = fill([(0.558, 0.64, C), (0.742, 0.62, C), (0.745, 0.665, C), (0.56, 0.685, C)], "tone", 0.6)
    return (
        *pair(leg),
        *pair(cuff),
        *_waist(0.642),
        stroke([(0.5, 0.16), (0.5, 0.40)], "tone", 0.006),
        *pair(stroke([(0.585, 0.165), (0.63, 0.29)], "tone", 0.006)),
        stroke([(0.485, 0.15), (0.47, 0.26)], "light", 0.009),
        stroke([(0.515, 0.15), (0.535, 0.25)], "light", 0.009),
    )


def _dramatic_trousers() -> Drawing:
    leg = fill(
        [
            (0.5, 0.14, C),
            (0.615, 0.13, C),
            (0.65, 0.27),
            (0.655, 0.45),
            (0.72, 0.70),
            (0.815, 0.925, C),
            (0.68, 0.945),
            (0.535, 0.935, C),
            (0.53, 0.62),
            (0.5, 0.37, C),
        ]
    )
    return (
        *pair(leg),
        *_waist(0.612),
        stroke([(0.5, 0.16), (0.5, 0.37)], "tone", 0.006),
        *pair(stroke([(0.575, 0.165), (0.59, 0.45), (0.65, 0.92)], "tone", 0.005)),
        *pair(stroke([(0.545, 0.20), (0.56, 0.50), (0.59, 0.92)], "tone", 0.003)),
    )


CLOTHES: dict[str, tuple[Sketch, Sketch, Sketch]] = {
    "dress": (_slim_dress, _relaxed_dress, _dramatic_dress),
    "trousers": (_slim_trousers, _relaxed_trousers, _dramatic_trousers),
}
