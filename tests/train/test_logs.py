from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from trifocal.errors import ConfigError
from trifocal.train.checkpoint import Progress
from trifocal.train.logs import event_writer, note, write_events, write_log

CURVE = [
    {"epoch": 1, "seconds": 2.0, "softmax": 3.0, "gradient_norm.softmax": 0.5, "ndcg@10": 0.1},
    {"epoch": 2, "seconds": 4.0, "softmax": 2.0, "gradient_norm.softmax": 0.4, "ndcg@10": 0.08},
]


class Kept:
    def __init__(self) -> None:
        self.figures: list[tuple[str, float, int]] = []
        self.flushed = 0

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        self.figures.append((tag, scalar_value, global_step))

    def flush(self) -> None:
        self.flushed += 1


def test_the_note_shows_the_parts_and_where_validation_stands() -> None:
    parts = {"softmax": 2.0, "click": 0.25}
    assert note(parts, Progress("f"), "ndcg@10") == "softmax 2.000 click 0.250"
    progress = Progress("f", best=0.1, curve=CURVE)
    assert note(parts, progress, "ndcg@10") == "softmax 2.000 click 0.250 | ndcg@10 0.0800, best 0.1000"


def test_the_log_has_a_line_an_epoch(tmp_path: Path) -> None:
    write_log(tmp_path, Progress("f", curve=CURVE))
    assert [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()] == CURVE


def test_events_are_sorted_by_kind() -> None:
    kept = Kept()
    write_events(kept, CURVE[1])
    assert kept.figures == [
        ("seconds", 4.0, 2),
        ("loss/softmax", 2.0, 2),
        ("gradient_norm/softmax", 0.4, 2),
        ("validation/ndcg_at_10", 0.08, 2),
    ]
    assert kept.flushed == 1


def test_a_missing_tensorboard_is_named_with_its_repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"tensorboard is not installed; `pip install 'trifocal\[tensorboard\]'`"):
        event_writer(tmp_path, Progress("f"))


def test_event_files_can_be_read_back(tmp_path: Path) -> None:
    read_back = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    write_events(event_writer(tmp_path, Progress("f")), CURVE[0])
    write_events(event_writer(tmp_path, Progress("f", epoch=1)), CURVE[1])
    read = read_back.EventAccumulator(str(tmp_path))
    read.Reload()
    assert [(e.step, e.value) for e in read.Scalars("loss/softmax")] == [(1, 3.0), (2, 2.0)]
