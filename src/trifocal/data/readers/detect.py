"""A folder -> the reader that knows its layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from trifocal.data.importing import ImportPlan
from trifocal.data.readers.canonical import canonical_plan
from trifocal.data.readers.hm import hm_plan
from trifocal.data.readers.movielens import movielens_plan
from trifocal.errors import DataError

__all__ = ["READERS", "detect_plan"]

READERS: Mapping[str, Callable[[Path], ImportPlan | None]] = {
    "hm": hm_plan,
    "movielens": movielens_plan,
    "canonical": canonical_plan,
}


def detect_plan(source: Path, reader: str = "auto") -> ImportPlan:
    """Return how to import `source`.

    Args:
        source: the folder.
        reader: a name of `READERS`, or `auto` to try them all.

    Raises:
        DataError: when no reader, or not the one asked for, knows the layout.
    """
    for name in READERS if reader == "auto" else (reader,):
        plan = READERS[name](source)
        if plan is not None:
            return plan
    found = ", ".join(sorted(path.name for path in source.iterdir())[:8]) if source.is_dir() else "no folder"
    raise DataError(
        f"{source} has no layout that the reader {reader!r} knows (found: {found}); "
        "write a column map and pass it with --map, see docs/guides/import.md"
    )
