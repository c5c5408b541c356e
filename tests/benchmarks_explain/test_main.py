from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from benchmarks.explain.main import PARTS
from benchmarks.explain.plan import QUICK, Setting, Sizes
from benchmarks.table.figures import Measured
from benchmarks.table.parts import Part, measured_parts, stored_figures


def test_every_size_bears_on_some_part_and_is_one() -> None:
    used = {name for part in PARTS for name in part.sizes}
    assert used == {field.name for field in fields(Sizes)}


def test_what_is_not_measured_is_missing_and_what_is_has_its_target(tmp_path: Path) -> None:
    asked: list[str] = []

    def part_of(part: Part[Setting]) -> Part[Setting]:
        def measure(setting: Setting) -> Measured:
            asked.append(part.name)
            return Measured({goal.name: 1.0 for goal in part.goals})

        return Part(part.name, part.goals, measure, part.sizes)

    parts = tuple(map(part_of, PARTS))
    setting = Setting(tmp_path, QUICK)
    measured_parts(parts, setting, ["search"])
    measured_parts(parts, setting, ["search"])
    assert asked == ["search"]
    lines, _ = stored_figures(parts, setting)
    assert {line.part for line in lines if line.value is not None} == {"search"}
    assert {line.part for line in lines if line.goal} == {part.name for part in PARTS}
