"""What is written down of a training while it runs: one JSON line an epoch."""

from __future__ import annotations

import json
from pathlib import Path

from trifocal.train.checkpoint import Progress

__all__ = ["write_log"]


def write_log(folder: Path, progress: Progress) -> None:
    """Write the learning curve to `train.jsonl` in `folder`, one line an epoch."""
    lines = [json.dumps(row) for row in progress.curve or []]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
