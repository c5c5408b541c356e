from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from benchmarks.feedback.main import PARTS
from benchmarks.feedback.plan import QUICK, Setting, Sizes
from benchmarks.table.parts import measured_parts, stored_figures


def test_every_size_bears_on_some_part_and_is_one() -> None:
    used = {name for part in PARTS for name in part.sizes}
    assert used == {field.name for field in fields(Sizes)}


def test_what_is_not_measured_is_missing_and_what_is_has_its_target(tmp_path: Path) -> None:
    setting = Setting(tmp_path, QUICK)
    measured_parts(PARTS, setting, ["anomalies"])
    lines, _ = stored_figures(PARTS, setting)
    measured = [line for line in lines if line.part == "anomalies"]
    assert measured
    assert all(line.value is not None for line in measured)
    assert {line.part for line in lines if line.goal} == {part.name for part in PARTS}
