"""A folder whose files already use the canonical names: `items.*` and `events.*`, and no map is needed.

Each is CSV, JSON lines or Parquet; `columns.py` lists the names, and pictures are relative to the folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from trifocal import columns as c
from trifocal.data.column_map import column_map_of
from trifocal.data.importing import ImportPlan
from trifocal.data.text_blocks import first_line

__all__ = ["canonical_plan"]

_ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")


def canonical_plan(source: Path) -> ImportPlan | None:
    """Return how to import the folder `source`, or None where it has no such files with at least the ids."""
    files = {table: _file_of(source, table) for table in ("items", "events")}
    items, events = files["items"], files["events"]
    if items is None or events is None:
        return None
    item_names, event_names = _names_of(items), _names_of(events)
    columns: dict[str, Any] = {name: name for name in c.ITEM_COLUMNS if name in item_names}
    if c.ITEM_ID not in columns or not {c.TITLE, c.IMAGE} & set(columns):
        return None
    if not {c.USER_ID, c.ITEM_ID} <= set(event_names):
        return None
    columns["attributes"] = {
        name.removeprefix(c.ATTRIBUTE_PREFIX): name for name in item_names if name.startswith(c.ATTRIBUTE_PREFIX)
    }
    event_columns = {name: name for name in c.EVENT_COLUMNS if name in event_names}
    content = {
        "items": {"file": items.name, "columns": columns},
        "events": {"file": events.name, "columns": event_columns},
    }
    return ImportPlan(source.resolve().name, source, column_map_of(content, "the canonical reader"))


def _file_of(source: Path, table: str) -> Path | None:
    files = (source / f"{table}{ending}" for ending in _ENDINGS)
    return next((file for file in files if file.is_file()), None)


def _names_of(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return list(pl.read_parquet_schema(path))
    line = first_line(path)
    if ".jsonl" not in path.suffixes:
        return [name.strip().strip('"') for name in line.split(",")]
    try:
        return list(json.loads(line))
    except (ValueError, TypeError):
        return []
