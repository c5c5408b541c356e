"""Curves and outlines."""

from __future__ import annotations

import numpy as np
import pytest

from trifocal.data.shop.pictures.outline import blob, both_sides, fill, mirrored, pair, stroke, trace


def test_corners_are_joined_by_straight_lines() -> None:
    square = trace([(0, 0, "c"), (1, 0, "c"), (1, 1, "c"), (0, 1, "c")], closed=True)
    assert square.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_a_curve_goes_through_its_points() -> None:
    curve = trace([(0.1, 0.2), (0.5, 0.9), (0.8, 0.3)], closed=False)
    for point in ((0.1, 0.2), (0.5, 0.9), (0.8, 0.3)):
        assert np.abs(curve - point).sum(axis=1).min() == pytest.approx(0, abs=1e-12)


def test_a_spline_of_a_line_is_the_line() -> None:
    curve = trace([(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)], closed=False)
    np.testing.assert_allclose(curve[:, 0], curve[:, 1])
    # Half-way between the first two points lies their middle: with 7 steps a piece, step 7 is the second point.
    np.testing.assert_allclose(curve[7], [0.5, 0.5])


def test_a_closed_curve_without_corners_is_symmetric() -> None:
    circle = trace([(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)], closed=True)
    assert len(circle) == 28
    np.testing.assert_allclose(circle.mean(axis=0), [0.5, 0.5])


def test_both_sides_mirrors_the_half() -> None:
    outline = both_sides([(0.5, 0.0), (0.75, 0.25, "c"), (0.5, 1.0)])
    assert outline == [(0.5, 0.0), (0.75, 0.25, "c"), (0.5, 1.0), (0.25, 0.25, "c")]


def test_a_pair_is_symmetric() -> None:
    left = fill([(0.1, 0.1, "c"), (0.2, 0.1, "c"), (0.2, 0.4, "c")], "tone", 0.5)
    same, right = pair(left)
    assert same is left
    np.testing.assert_allclose(right.points[:, 0], 1 - left.points[:, 0])
    np.testing.assert_allclose(mirrored(right).points, left.points)
    assert (right.role, right.relief) == ("tone", 0.5)


def test_strokes_are_flat_lines_and_blobs_are_ellipses() -> None:
    assert stroke([(0, 0), (1, 1)], width=0.02).width == 0.02
    ellipse = blob((0.5, 0.4), (0.2, 0.1)).points
    np.testing.assert_allclose(((ellipse - [0.5, 0.4]) / [0.2, 0.1]) ** 2 @ [1, 1], 1)
