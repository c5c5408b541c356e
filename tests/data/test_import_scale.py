"""The scale benchmark on a small file: every planted bad row is found, for its own reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "scale" / "import_events.py"


def test_every_planted_row_is_rejected() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--rows", "30000", "--bad", "0.02", "--seed", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["every_bad_row_found"]
    assert result["planted"] == result["rejected"] == 600
    assert result["peak_mib"] < 2048
    # A ninth of the bad rows loses one field only and is kept.
    assert 30_000 - 600 < result["kept"] < 30_000 - 450
