"""A source file -> one frame in which every column is text, so that nothing is turned into null behind our back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars import selectors as cs

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
    table: SourceTable, columns: dict[str, Sequence[str]], joins: dict[str, str], missing_values: Sequence[str]
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
    absent = sorted(wanted - set(table.frame.columns))
    if absent:
        has = ", ".join(name for name in table.frame.columns if name != ROW) or "none"
        raise DataError(f"{table.path} has no column {', '.join(absent)}; it has: {has}; correct the column map")
    return table.frame.select(
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
    lists = frame.with_columns(cs.list().cast(pl.List(pl.String)).list.join(LIST_SEPARATOR))
    structs = [name for name, kind in lists.schema.items() if isinstance(kind, pl.Struct)]
    plain = lists.with_columns(*(pl.col(name).struct.json_encode() for name in structs), *_whole_numbers(lists))
    return plain.cast({cs.all(): pl.String}).with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW))


def _whole_numbers(frame: pl.DataFrame) -> list[pl.Expr]:
    """Ids that another tool stored as 12.0 for want of a nullable integer are 12."""
    floats = frame.select(cs.float())
    whole = [s.name for s in floats if (s.is_null() | (s == s.round())).all() and not s.is_infinite().any()]
    return [pl.col(name).cast(pl.Int64, strict=False) for name in whole]
