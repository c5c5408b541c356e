"""Source files -> a data set folder: read, prepare, clean, write. Joins the steps; each lives in a file of its own.

```
file ─► source_table ─► prepare (reader) ─► clean_items / clean_events ─► items, events
                  └── malformed rows ──► RejectLog ◄── bad rows ──┘  ──► rejects, summary
```
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.data.clean_events import clean_events
from trifocal.data.clean_items import clean_items
from trifocal.data.column_map import ColumnMap
from trifocal.data.dataset import Dataset, write_dataset
from trifocal.data.rejects import Action, RejectLog
from trifocal.data.source_table import SourceTable, read_source_table
from trifocal.errors import ConfigError, DataError

__all__ = ["ImportPlan", "ImportSummary", "Prepare", "import_dataset", "import_plan", "unchanged"]

# Adds or rearranges columns of the frame as it was read; never takes a row away.
Prepare = Callable[[pl.DataFrame], pl.DataFrame]


def unchanged(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame`: the preparation of a source that needs none."""
    return frame


@dataclass(frozen=True)
class ImportPlan:
    """Everything that an import needs to know; what a reader gives back. Stability: caller.

    Attributes:
        name: of the data set.
        source: the folder that the map's paths are relative to.
        column_map: which file and column holds what.
        prepare_items: applied to the item rows before cleaning.
        prepare_events: applied to the event rows before cleaning.
    """

    name: str
    source: Path
    column_map: ColumnMap
    prepare_items: Prepare = unchanged
    prepare_events: Prepare = unchanged


@dataclass(frozen=True)
class ImportSummary:
    """Counts of one import; also `summary.json`. Stability: full.

    Attributes:
        name: of the data set.
        items_read: rows of the item file.
        items_kept: items of the data set.
        items_with_picture: of these, with a picture that decodes.
        items_with_text: of these, with a title or a description.
        events_read: rows of the event file.
        events_kept: events of the data set.
        users: with at least one event.
        sessions: different session ids.
        rejects: table -> "reason, action" -> rows.
    """

    name: str
    items_read: int
    items_kept: int
    items_with_picture: int
    items_with_text: int
    events_read: int
    events_kept: int
    users: int
    sessions: int
    rejects: dict[str, dict[str, int]]


def import_dataset(column_map: ColumnMap, source: Path, out: Path) -> ImportSummary:
    """Import the files that `column_map` names, relative to `source`, into the data set folder `out`.

    Raises:
        DataError: when a file or column is missing, or a file has no usable row.
        ConfigError: when `out` would overwrite a source file.
    """
    return import_plan(ImportPlan(source.resolve().name, source, column_map), out)


def import_plan(plan: ImportPlan, out: Path) -> ImportSummary:
    """Import what `plan` says into the data set folder `out`; bad rows go to `rejects.parquet` there.

    Raises:
        DataError: when a file or column is missing, or a file has no usable row.
        ConfigError: when `out` would overwrite a source file.
    """
    sources = plan.column_map
    _refuse_overwriting(plan, out)
    image_root = (plan.source / sources.items.image_root).resolve()
    logs = RejectLog("items"), RejectLog("events")
    item_table = _prepared(read_source_table(plan.source, sources.items, logs[0]), plan.prepare_items)
    items = clean_items(item_table, sources.items, image_root, sources.limits, logs[0])
    item_rejects = logs[0].frame(item_table.frame)
    _require_rows(items, item_table, item_rejects, out)
    event_table = _prepared(read_source_table(plan.source, sources.events, logs[1]), plan.prepare_events)
    events = clean_events(event_table, sources.events, items[c.ITEM_ID], logs[1])
    event_rejects = logs[1].frame(event_table.frame)
    _require_rows(events, event_table, event_rejects, out)
    rejects = pl.concat([item_rejects, event_rejects])
    dataset = Dataset(plan.name, items, events, image_root)
    write_dataset(dataset, out)
    summary = _summary_of(dataset, item_table.rows, event_table.rows, rejects)
    rejects.write_parquet(out / "rejects.parquet")
    (out / "summary.json").write_text(json.dumps(asdict(summary), indent=2) + "\n", encoding="utf-8")
    return summary


def _refuse_overwriting(plan: ImportPlan, out: Path) -> None:
    written = {(out / name).resolve() for name in ("items.parquet", "events.parquet", "rejects.parquet")}
    for file in (plan.column_map.items.file, plan.column_map.events.file):
        if (plan.source / file).resolve() in written:
            raise ConfigError(f"the data set in {out} would overwrite its own source {file}; choose another folder")


def _prepared(table: SourceTable, prepare: Prepare) -> SourceTable:
    return replace(table, frame=prepare(table.frame))


def _require_rows(kept: pl.DataFrame, table: SourceTable, rejects: pl.DataFrame, out: Path) -> None:
    if len(kept):
        return
    out.mkdir(parents=True, exist_ok=True)
    rejects.write_parquet(out / "rejects.parquet")
    dropped = rejects.filter(pl.col("action") == Action.DROPPED.value)
    counts = dropped.group_by("reason").len().sort("len", "reason", descending=[True, False]).iter_rows()
    why = ", ".join(f"{reason} {count}" for reason, count in counts) or "the file is empty"
    raise DataError(
        f"{table.path} has no usable row among {table.rows} ({why}); see {out / 'rejects.parquet'}, "
        "then correct the file or the column map"
    )


def _summary_of(dataset: Dataset, items_read: int, events_read: int, rejects: pl.DataFrame) -> ImportSummary:
    items, events = dataset.items, dataset.events
    text = [name for name in (c.TITLE, c.DESCRIPTION) if name in items.columns]
    return ImportSummary(
        name=dataset.name,
        items_read=items_read,
        items_kept=len(items),
        items_with_picture=len(items) - items[c.IMAGE].null_count(),
        items_with_text=len(items.filter(pl.any_horizontal(pl.col(text).is_not_null()))),
        events_read=events_read,
        events_kept=len(events),
        users=events[c.USER_ID].n_unique(),
        sessions=events[c.SESSION_ID].drop_nulls().n_unique(),
        rejects=reject_counts(rejects),
    )


def reject_counts(rejects: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return table -> "reason, action" -> number of rejects, the most frequent first."""
    counts: dict[str, dict[str, int]] = {"items": {}, "events": {}}
    grouped = rejects.group_by("table", "reason", "action").len().sort("len", "reason", descending=[True, False])
    for table, reason, action, count in grouped.iter_rows():
        counts[table][f"{reason}, {Action(action)}"] = count
    return counts
