"""What `trifocal distill` says of student and teacher; the whole command is in `tests/end_to_end`."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from rich.console import Console

from trifocal.cli import distill
from trifocal.data.cases import Cases
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import evaluate
from trifocal.train.distill_speed import EncodingSpeed
from trifocal.types import Rankings, Request, UserId


class Fixed:
    """Gives every user the same list."""

    def __init__(self, name: str, rows: list[int]) -> None:
        self.name, self._rows = name, np.array(rows)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        rows = np.tile(self._rows[:k], (len(requests), 1))
        return Rankings(rows, -np.arange(rows.shape[1], dtype=np.float32) * np.ones_like(rows, dtype=np.float32))


def figures() -> dict[str, object]:
    cases = Cases((UserId("a"), UserId("b")), (Request(), Request()), (np.array([3]), np.array([3])))
    order = list(range(30))
    second, first = [0, 3, *order[1:3], *order[4:]], [3, *order[:3], *order[4:]]
    pair = [Fixed("student", second), Fixed("teacher", first)]
    speeds = [EncodingSpeed(40, 2.0), EncodingSpeed(40, 10.0)]
    config = EvaluateConfig(k=20, bootstrap_samples=100)
    own, other = (evaluate(recommender, cases, config.k, config.batch) for recommender in pair)
    quality = distill._quality(own, other, config)
    return {"split": "time", "part": "validation", "users": 2, **quality, **distill._speed(speeds)}


def test_the_ratio_is_the_students_figure_over_the_teachers() -> None:
    found = figures()
    # The answer stands second and first: 1 / log2(3) against 1.
    assert found["student"]["ndcg@10"] == pytest.approx(1 / np.log2(3), abs=1e-4)  # type: ignore[index]
    assert found["ratio"]["ndcg@10"] == pytest.approx(0.6309, abs=1e-4)  # type: ignore[index]
    assert found["ratio"]["recall@20"] == 1  # type: ignore[index]
    assert (found["student_items_per_s"], found["teacher_items_per_s"], found["speed_ratio"]) == (20, 4, 5)


def test_the_table_shows_quality_and_speed() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(distill._table(figures()))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    for shown in ("time · validation · 2 users", "0.631 (0.631 to 0.631)", "20.0", "4.0", "5.00"):
        assert shown in printed
