"""A source file -> one frame in which every column is text, so that nothing is turned into null behind our back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trifocal.data.column_map import TableFile
from trifocal.data.delimited import Dialect, read_delimited
from trifocal.data.json_lines import LIST_SEPARATOR, read_json_lines
from trifocal.data.rejects import ROW, RejectLog
from trifocal.errors import DataError

__all__ = ["SourceTable", "mapped_text", "read_source_table"]

_FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


@dataclass(frozen=True)
class SourceTable:
    """What a file holds.

    Attributes:
        path: the file.
        frame: text columns by their source names, and the row's number in `ROW`.
        rows: all rows of the file, the malformed ones included.
    """

    path: Path
    frame: pl.DataFrame
    rows: int


def read_source_table(source: Path, file: TableFile, log: RejectLog) -> SourceTable:
    """Return the table in `file`.

    Args:
        source: the folder that the file's name is relative to.
        file: the file and how to read it.
        log: takes the lines that are no row.

    Raises:
        DataError: when the file is missing, unreadable or of an unknown format.
    """
    path = source / file.file
    if not path.is_file():
        raise DataError(f"the file {path} does not exist; correct `file` in the column map, or the source folder")
    match _format_of(path, file):
        case "csv":
            tabbed = ".tsv" in path.suffixes and file.separator == ","
            dialect = Dialect("\t" if tabbed else file.separator, file.quoted, file.header, file.encoding)
            frame, rows = read_delimited(path, dialect, log)
        case "jsonl":
            frame, rows = read_json_lines(path, file.encoding, log)
        case _:
            frame = _read_parquet(path)
            rows = len(frame)
    return SourceTable(path, frame, rows)


def mapped_text(
    table: SourceTable, columns: Mapping[str, Sequence[str]], joins: Mapping[str, str], missing_values: Sequence[str]
) -> pl.DataFrame:
    """Return the canonical columns of `table` as trimmed text, null where nothing is said, beside `ROW`.

    Args:
        table: the source.
        columns: canonical name -> source columns.
        joins: canonical name -> what stands between several values; ", " where absent.
        missing_values: texts that mean "no value".

    Raises:
        DataError: naming the source columns that the file lacks, and those that it has.
    """
    wanted = {name for names in columns.values() for name in names}
    frame = table.frame
    if frame.columns == [ROW]:
        # JSON lines of which none is an object: nothing is known about columns, and the rejects tell why.
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in wanted)
    absent = sorted(wanted - set(frame.columns))
    if absent:
        has = ", ".join(name for name in frame.columns if name != ROW) or "none"
        raise DataError(f"{table.path} has no column {', '.join(absent)}; it has: {has}; correct the column map")
    return frame.select(
        ROW,
        *(
            _joined(names, joins.get(name, ", "), missing_values).alias(name)
            for name, names in columns.items()
            if names
        ),
    )


def _joined(names: Sequence[str], join: str, missing_values: Sequence[str]) -> pl.Expr:
    parts = [
        _trimmed(pl.col(name), missing_values).str.replace_all(LIST_SEPARATOR, join, literal=True) for name in names
    ]
    return parts[0] if len(parts) == 1 else _emptied(pl.concat_str(parts, separator=join, ignore_nulls=True), ())


def _trimmed(column: pl.Expr, missing_values: Sequence[str]) -> pl.Expr:
    return _emptied(column.str.strip_chars(), missing_values)


def _emptied(text: pl.Expr, missing_values: Sequence[str]) -> pl.Expr:
    return pl.when(text.is_in(["", *missing_values])).then(None).otherwise(text)


def _format_of(path: Path, file: TableFile) -> str:
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    kind = file.format or _FORMATS.get(ending.lower())
    if kind is None:
        raise DataError(f"{path} has the unknown ending {ending!r}; set `format` to csv, jsonl or parquet")
    return kind


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.ComputeError, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}; write it again") from None
    columns = [_text_of(frame[name]) for name in frame.columns]
    return pl.DataFrame(columns).with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW))


def _text_of(values: pl.Series) -> pl.Series:
    """Return `values` as text: parts of a list joined by `LIST_SEPARATOR`, deeper structures as JSON."""
    kind = values.dtype
    if isinstance(kind, pl.List) and not kind.inner.is_nested():
        return values.cast(pl.List(pl.String)).list.join(LIST_SEPARATOR, ignore_nulls=True)
    if kind.is_nested() or isinstance(kind, pl.Binary | pl.Object | pl.Duration):
        texts = [None if value is None else _json_or_text(value) for value in values.to_list()]
        return pl.Series(values.name, texts, dtype=pl.String)
    if kind.is_float() and _is_whole(values):
        values = values.cast(pl.Int64, strict=False)
    return values.cast(pl.String)


def _json_or_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return json.dumps(value, default=str, ensure_ascii=False)


def _is_whole(values: pl.Series) -> bool:
    """Ids that another tool stored as 12.0 for want of a nullable integer are 12."""
    known = values.drop_nulls()
    return bool(known.is_finite().all() and (known == known.round()).all() and (known.abs() < 2**53).all())
