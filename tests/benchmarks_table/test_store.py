from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.latency.main import PARTS, run_parts
from benchmarks.latency.plan import FULL, QUICK, Setting, catalogue_sizes
from benchmarks.table.figures import Measured
from benchmarks.table.parts import stored_figures
from benchmarks.table.store import stored_or


class Counting:
    """Measures by counting how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Measured:
        self.asked += 1
        return Measured({"p50": float(self.asked)}, {"p50": "note"}, {"p50": "ms"}, {"rounds": [{"als": 1.0}]})


def test_a_finished_part_is_read_not_measured_again(tmp_path: Path) -> None:
    measure, path = Counting(), tmp_path / "deeper" / "part.json"
    first = stored_or(path, {"items": 3}, measure)
    assert stored_or(path, {"items": 3}, measure) == first
    assert measure.asked == 1


def test_force_and_other_sizes_measure_again(tmp_path: Path) -> None:
    measure, path = Counting(), tmp_path / "part.json"
    stored_or(path, {"items": 3}, measure)
    assert stored_or(path, {"items": 3}, measure, force=True).values["p50"] == 2.0
    assert stored_or(path, {"items": 4}, measure).values["p50"] == 3.0
    assert stored_or(path, {"items": 4}, measure).values["p50"] == 3.0


def test_a_part_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Measured:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        stored_or(tmp_path / "part.json", {}, broken)
    assert list(tmp_path.iterdir()) == []


def test_how_long_the_mixed_load_is_does_not_bear_on_the_comparison() -> None:
    sizes = {part.name: set(part.sizes) for part in PARTS}
    assert "minutes" in sizes["mixed"]
    assert not {"minutes", "growth"} & (sizes["compare"] | sizes["catalogue"])
    assert sizes["catalogue"] <= sizes["compare"]


def test_before_anything_is_measured_every_goal_is_missing(tmp_path: Path) -> None:
    lines, detail = stored_figures(PARTS, Setting(tmp_path, QUICK))
    assert len(lines) == sum(len(part.goals) for part in PARTS)
    assert all(line.value is None and line.met is False for line in lines)
    assert detail == {}


def test_the_quick_catalogue_is_made_and_then_shown(tmp_path: Path) -> None:
    setting = Setting(tmp_path, QUICK)
    run_parts(setting, ["catalogue"])
    lines, _ = stored_figures(PARTS, setting)
    assert {line.name: line.value for line in lines if line.part == "catalogue"}["items"] == QUICK.items
    assert (setting.catalogue / "als" / "item_factors.npy").is_file()


def test_requests_never_run_out_of_users() -> None:
    asked = sum(FULL.requests) + len(FULL.requests) * FULL.warm_up
    assert asked <= FULL.users
    for items in FULL.growth:
        grown = catalogue_sizes(FULL, items)
        assert (grown.items, grown.users) == (items, FULL.growth_requests + FULL.warm_up)
