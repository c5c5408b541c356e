"""Finished parts on disk: a benchmark that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.table.figures import Measured

__all__ = ["stored_or", "stored_part"]


def stored_part(path: Path, key: Mapping[str, object]) -> Measured | None:
    """Return the part stored at `path`, or None where there is none or it was measured with another `key`."""
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Measured(**found["measured"]) if found["key"] == dict(key) else None


def stored_or(
    path: Path, key: Mapping[str, object], measure: Callable[[], Measured], *, force: bool = False
) -> Measured:
    """Return the part stored at `path`; else, or with `force`, measure it and store it whole or not at all."""
    found = None if force else stored_part(path, key)
    if found is not None:
        return found
    measured = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"key": dict(key), "measured": asdict(measured)}, indent=1), encoding="utf-8")
    temporary.replace(path)
    return measured
