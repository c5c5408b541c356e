from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.report import Estimate, Line, Point, bars, intervals, lines, points
from trifocal.report.drawing import short, spread

NAMES = [f"model {place}" for place in range(12)]


def texts(svg: str) -> dict[str, float]:
    """The texts of a drawing, each with the y that it starts at, in points."""
    return {name: float(y) for y, name in re.findall(r'<text[^>]*? y="([\d.]+)"[^>]*>([^<]+)</text>', svg)}


def test_names_stand_a_line_apart_the_better_the_higher() -> None:
    found = texts(points([Point(name, 5, 1.0 - 0.001 * place) for place, name in enumerate(NAMES)], "t", "x").svg)
    heights = [found[name] for name in NAMES]
    assert all(lower - upper >= 9 for upper, lower in pairwise(heights))


def test_the_name_of_a_line_stands_near_its_end() -> None:
    svg = lines([Line("up", [0, 1], [0, 1]), Line("down", [0, 1], [1, 0])], "t", "x", levels={"half": 0.5}).svg
    found = texts(svg)
    assert found["up"] < found["half"] < found["down"]
    assert found["down"] - found["up"] > 60


def test_colours_come_from_the_page_and_parts_of_two_drawings_have_other_names() -> None:
    given_ = [Estimate("a<b>", 0.5, 0.4, 0.6), Estimate("c", 0.2)]
    one, other = bars(given_, "One", "x").svg, intervals(given_, "Other", "x", least=-0.1).svg
    for svg in (one, other):
        assert "var(--accent)" in svg
        assert "font-family" not in svg
        assert "a&lt;b&gt;: 0.500 (0.400 to 0.600); c: 0.200</desc>" in svg
        assert not re.search(r"#0[1-9a-b]0[1-9a-b]0[1-9a-b]", svg)
    assert not set(re.findall(r'id="([^"]+)"', one)) & set(re.findall(r'id="([^"]+)"', other))
    assert bars(given_, "One", "x").svg == one


def test_every_reference_within_a_drawing_is_met() -> None:
    svg = lines([Line("one", [1, 2], [1e-4, 1.0])], "t", "x", log_range=(1e-6, 1.5), stepped=True).svg
    used = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg))
    assert used
    assert used <= set(re.findall(r'id="([^"]+)"', svg))


@settings(max_examples=60)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=20), st.floats(0.1, 3))
def test_spread_heights_keep_order_and_distance_within_the_frame(heights: list[float], gap: float) -> None:
    wanted = sorted(heights, reverse=True)
    found = spread(wanted, gap, 0, 10)
    least = min(gap, 10 / max(len(wanted) - 1, 1))
    assert all(upper - lower >= least - 1e-9 for upper, lower in pairwise(found))
    assert all(-1e-9 <= height <= 10 + 1e-9 for height in found)


def test_heights_far_enough_apart_stay() -> None:
    assert spread([9, 6, 3], 2, 0, 10) == [9, 6, 3]
    # Pushed below the frame, they come back up.
    assert spread([1, 1, 1], 2, 0, 10) == [4, 2, 0]
    assert spread([], 2, 0, 10) == []


def test_a_long_name_is_cut() -> None:
    assert short("x" * 22) == "x" * 22
    assert short("x" * 23) == "x" * 21 + "…"
