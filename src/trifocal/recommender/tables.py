"""Frames or files, with their own column names -> a data set folder. What the column map says is worked out here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl

from trifocal import columns as c
from trifocal.data.column_map import ColumnMap, EventColumns, ItemColumns, TableFile, column_map_of
from trifocal.data.dataset import Dataset, read_dataset
from trifocal.data.importing import import_dataset
from trifocal.data.rejects import ROW, RejectLog
from trifocal.data.source_table import read_source_table
from trifocal.errors import ConfigError
from trifocal.recommender.frames import Table, as_frame

__all__ = ["Columns", "Source", "column_map", "imported", "read_rejects", "source_of"]

Columns: TypeAlias = Mapping[str, "str | Sequence[str] | Mapping[str, str | Sequence[str]]"]
_Plain: TypeAlias = dict[str, "str | Sequence[str]"]

_ITEM_FIELDS = frozenset(ItemColumns.model_fields) - {"attributes"}
_EVENT_FIELDS = frozenset(EventColumns.model_fields)
_TABLES = ("items", "events")


@dataclass(frozen=True)
class Source:
    """A file of rows and the names of its columns."""

    file: Path
    columns: tuple[str, ...]


def imported(items: Table, events: Table, columns: Columns | None, image_root: str | Path | None, out: Path) -> Dataset:
    """Return the data set of `items` and `events`, written to `out/data`; bad rows stand in its rejects.

    Raises:
        ConfigError: when `columns` names what there is not.
        DataError: when a column is missing, or no row is usable.
    """
    sources = source_of(items, "items", out), source_of(events, "events", out)
    mapped = column_map(*sources, columns or {}, _picture_folder(items, image_root))
    import_dataset(mapped, out, out / "data")
    return read_dataset(out / "data")


def source_of(table: Table, name: str, out: Path) -> Source:
    """Return where `table` lies: its own file, or a copy of the frame under `out`.

    Raises:
        DataError: when it is no frame, or a file that cannot be read.
    """
    if isinstance(table, str | Path):
        path = Path(table).resolve()
        frame = read_source_table(path.parent, TableFile(file=path.name), RejectLog(name)).frame
        return Source(path, tuple(column for column in frame.columns if column != ROW))
    frame = as_frame(table, name)
    path = (out / "source" / f"{name}.parquet").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return Source(path, tuple(frame.columns))


def column_map(items: Source, events: Source, columns: Columns, image_root: Path) -> ColumnMap:
    """Return the map of both files: what `columns` says, else the canonical names that a file has.

    Args:
        items: the item file.
        events: the event file.
        columns: canonical name -> column, or columns that are joined; `attribute.<name>` for free attributes. For
            `image` also the file by id, such as `"{item_id}.jpg"`. `{"items": {...}, "events": {...}}` where both
            tables mean different things by a name.
        image_root: folder of the pictures.

    Raises:
        ConfigError: when a name is not canonical, or the map is not enough.
    """
    for_items, for_events = _by_table(columns)
    told = _told(items, for_items, _ITEM_FIELDS)
    attributes = {name.removeprefix(c.ATTRIBUTE_PREFIX): told.pop(name) for name in list(told) if _is_attribute(name)}
    image = told.get(c.IMAGE)
    pattern = told.pop(c.IMAGE) if isinstance(image, str) and "{item_id" in image else None
    content = {
        "items": {
            "file": str(items.file),
            "image_root": str(image_root),
            "image_pattern": pattern,
            "columns": told | {"attributes": attributes},
        },
        "events": {"file": str(events.file), "columns": _told(events, for_events, _EVENT_FIELDS)},
    }
    return column_map_of(content, "the column map of `columns`")


def _by_table(columns: Columns) -> tuple[_Plain, _Plain]:
    given = [columns.get(table, {}) for table in _TABLES] if set(columns) <= set(_TABLES) else [columns, columns]
    items, events = ({k: v for k, v in part.items() if not isinstance(v, Mapping)} for part in map(_mapping, given))
    unknown = sorted(
        name for name in {**items, **events} if name not in _ITEM_FIELDS | _EVENT_FIELDS and not _is_attribute(name)
    )
    if unknown:
        raise ConfigError(
            f"columns names {', '.join(unknown)}, which is no canonical column; choose among "
            f"{', '.join(sorted(_ITEM_FIELDS | _EVENT_FIELDS))}, or attribute.<name>"
        )
    return items, events


def _mapping(part: object) -> Mapping[str, str | Sequence[str]]:
    if not isinstance(part, Mapping):
        raise ConfigError(f"columns holds {part!r} for a table; give canonical name -> column")
    return part


def _told(source: Source, columns: _Plain, fields: frozenset[str]) -> _Plain:
    """The fields of one table: what is said, else the canonical ones that the file has, the ids in any case."""
    has = set(source.columns)
    own = {name: name for name in source.columns if name in fields or (fields is _ITEM_FIELDS and _is_attribute(name))}
    said = {
        name: column
        for name, column in columns.items()
        if name in fields or (fields is _ITEM_FIELDS and _is_attribute(name))
    }
    # One word for both tables: the one that has only the canonical name means it.
    said = {
        name: column
        for name, column in said.items()
        if not (name == c.ITEM_ID and name in has and _absent(column, has))
    }
    needed = {c.ITEM_ID: c.ITEM_ID} | ({c.USER_ID: c.USER_ID} if c.USER_ID in fields else {})
    return {**needed, **own, **said}


def _absent(column: str | Sequence[str], has: set[str]) -> bool:
    return isinstance(column, str) and column not in has and "{" not in column


def _is_attribute(name: str) -> bool:
    return name.startswith(c.ATTRIBUTE_PREFIX)


def _picture_folder(items: Table, image_root: str | Path | None) -> Path:
    """Return the folder that pictures are relative to: as said, else that of the item file, else here."""
    if image_root is not None:
        return Path(image_root).resolve()
    return Path(items).resolve().parent if isinstance(items, str | Path) else Path.cwd()


def read_rejects(out: Path) -> pl.DataFrame:
    """Return the rows of the last import in `out` that could not be used as they were, each with its reason."""
    return pl.read_parquet(out / "data" / "rejects.parquet")
