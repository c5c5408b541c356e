from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.evaluate import many

from trifocal.evaluate.comparison import Comparison
from trifocal.evaluate.latency import Latency
from trifocal.evaluate.plots import coverage_plot, latency_plot, metric_plot
from trifocal.report import Chart


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder: Path = tmp_path_factory.mktemp("many")
    return many.comparison(folder)


def places(plot: Chart | None) -> dict[str, tuple[float, float]]:
    """The names in a plot, each with the x and y that its text starts at, in points."""
    assert plot is not None
    found = re.findall(r'<text[^>]*? x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</text>', plot.svg)
    texts = {name: (float(x), float(y)) for x, y, name in found}
    return {name: texts[name if len(name) <= 22 else f"{name[:21]}…"] for name in many.NAMES}


def test_names_of_sixteen_points_stand_in_a_column_a_line_apart(comparison: Comparison) -> None:
    for plot in (coverage_plot(comparison, "recall@20"), latency_plot(comparison, "recall@20")):
        found = places(plot)
        assert len({x for x, _ in found.values()}) == 1
        heights = sorted(y for _, y in found.values())
        assert all(lower - upper >= 11 for upper, lower in pairwise(heights))
        # The better, the higher.
        means = {model.name: model.metrics["recall@20"].mean for model in comparison.models}
        assert sorted(found, key=lambda name: found[name][1]) == sorted(found, key=lambda name: -means[name])


def test_bars_of_sixteen_models_are_a_line_apart(comparison: Comparison) -> None:
    heights = [y for _, y in places(metric_plot(comparison, "ndcg@10")).values()]
    assert all(lower - upper >= 11 for upper, lower in pairwise(heights))


@pytest.mark.parametrize(("p50_ms", "shown"), [((0.15, 0.36), ["0.1", "0.2", "0.5"]), ((3, 3), ["1", "2", "5"])])
def test_latencies_near_each_other_have_ticks_that_stand_apart(
    comparison: Comparison, p50_ms: tuple[float, float], shown: list[str]
) -> None:
    models = tuple(
        replace(model, latency=Latency(p50, p50, p50, 9)) for model, p50 in zip(comparison.models, p50_ms, strict=False)
    )
    plot = latency_plot(replace(comparison, models=models), "recall@20")
    assert plot is not None
    ticks = re.findall(r"text-anchor: middle[^>]*>([\d.]+)</text>", plot.svg)
    assert ticks == shown


def test_each_point_has_its_name_and_the_first_the_accent(comparison: Comparison) -> None:
    plot = coverage_plot(comparison, "recall@20").svg
    assert plot.count("var(--accent)") >= 3
    assert ">Recall@20 against coverage</title>" in plot
    assert coverage_plot(comparison, "recall@20").svg == plot
    # The page's font is used.
    assert "font-family" not in plot
