"""CSV and its relatives -> a frame of text, losing no line: one that is no row of the table comes out as malformed.

Most blocks hold one row a line and are read at full speed. A block in which a quote may span lines is read with care:
a quoted line break is honoured where the row then ends as it should, and a stray quote costs its own line only,
never the lines behind it.
"""

from __future__ import annotations

import csv
import gc
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from trifocal.data.rejects import ROW, RejectLog
from trifocal.data.text_blocks import line_blocks
from trifocal.errors import DataError

__all__ = ["Dialect", "read_delimited"]

# A quoted field of more lines than this is taken for a stray quote.
_MOST_LINES_IN_A_FIELD = 1000
# Lines read at once; so many are read one by one where that fails.
_STRETCH = 1000
_SEVERAL_CHARACTERS = "\x1f"


@dataclass(frozen=True)
class Dialect:
    """How a line is cut into fields.

    Attributes:
        separator: between fields; longer than one character only where not `quoted`.
        quoted: whether a double quote opens a field.
        header: the column names, where the file has no header line.
        encoding: of the file.
    """

    separator: str = ","
    quoted: bool = True
    header: tuple[str, ...] | None = None
    encoding: str = "utf-8-sig"

    def rows(self, lines: list[str]) -> list[list[str]]:
        """Return the fields of `lines`; one row may take several of them.

        Raises:
            csv.Error: at a stray quote.
        """
        separator = self.separator
        if len(separator) > 1:
            lines = [line.replace(separator, _SEVERAL_CHARACTERS) for line in lines]
            separator = _SEVERAL_CHARACTERS
        if self.quoted:
            return list(csv.reader(lines, delimiter=separator, strict=True))
        return list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE, strict=True))


@dataclass
class _Records:
    """The rows of one block and the text of each; a row without fields is malformed. `rest` belongs to the next."""

    rows: list[list[str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


def read_delimited(path: Path, dialect: Dialect, log: RejectLog) -> tuple[pl.DataFrame, int]:
    """Return the rows of `path` as text, numbered in `ROW`, and how many rows the file holds, malformed ones included.

    Args:
        path: the file.
        dialect: how a line is cut.
        log: takes the malformed lines.

    Raises:
        DataError: when the file has no usable header.
    """
    blocks = line_blocks(path, dialect.encoding)
    first = next(blocks, [])
    header = list(dialect.header) if dialect.header is not None else _header(first, dialect, path)
    if dialect.header is None:
        first = first[1:]
    frames: list[pl.DataFrame] = []
    count = 0
    with _without_collection():
        for records in _all_records(first, blocks, dialect, len(header)):
            frames.append(_frame_of(records, header, count, log))
            count += len(records.rows)
    empty = pl.DataFrame(schema={ROW: pl.Int64, **dict.fromkeys(header, pl.String)})
    return pl.concat([empty, *frames]), count


@contextmanager
def _without_collection() -> Iterator[None]:
    """Rows of text form no cycle; looking for one among millions of them takes a quarter of the reading time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _header(lines: list[str], dialect: Dialect, path: Path) -> list[str]:
    try:
        names = [name.strip() for name in dialect.rows(lines[:1])[0]]
    except (csv.Error, IndexError):
        raise DataError(f"{path} has no header line: expected column names, found {lines[:1]!r}") from None
    repeated = sorted({name for name in names if names.count(name) > 1 or name == ROW})
    if repeated:
        raise DataError(f"{path} names the column(s) {', '.join(repeated)} twice; rename them in the header line")
    return names


def _all_records(first: list[str], blocks: Iterator[list[str]], dialect: Dialect, width: int) -> Iterator[_Records]:
    rest: list[str] = []
    lines: list[str] | None = first
    while lines is not None:
        following = next(blocks, None)
        records = _records(rest + lines, dialect, width, last=following is None)
        yield records
        rest, lines = records.rest, following


def _records(lines: list[str], dialect: Dialect, width: int, *, last: bool) -> _Records:
    records = _Records()
    # Lines in which a quote may stay open; the stretches between them are read at full speed.
    odd = [place for place, line in enumerate(lines) if dialect.quoted and '"' in line and line.count('"') % 2]
    place = 0
    while place < len(lines) and not records.rest:
        following = bisect_left(odd, place)
        stop = odd[following] if following < len(odd) else len(lines)
        until = min(stop, place + _STRETCH)
        stretch = [line for line in lines[place:until] if line]
        rows = _one_row_a_line(stretch, dialect)
        if place < stop and rows is not None:
            records.rows += rows
            records.texts += stretch
            place = until
        else:
            # The odd line alone; or a stretch in which lines belong together although their quotes are even.
            places = (place, max(until, place + 1))
            place = _read_with_care(records, lines, dialect, width, places=places, last=last)
    return records


def _one_row_a_line(lines: list[str], dialect: Dialect) -> list[list[str]] | None:
    try:
        rows = dialect.rows(lines)
    except csv.Error:
        return None
    return rows if len(rows) == len(lines) else None


def _read_with_care(
    records: _Records, lines: list[str], dialect: Dialect, width: int, *, places: tuple[int, int], last: bool
) -> int:
    """Add the rows that start in `places`, one by one; return the place behind the last of them."""
    place, until = places
    while place < until:
        if not lines[place]:
            place += 1
            continue
        row, taken = _row_at(lines, place, dialect, width)
        near_end = place + _MOST_LINES_IN_A_FIELD >= len(lines)
        if not row and not last and near_end and _is_open(lines[place], dialect):
            # The row may go on in the next block.
            records.rest = lines[place:]
            return place
        records.rows.append(row)
        records.texts.append("\n".join(lines[place : place + taken]))
        place += taken
    return place


def _row_at(lines: list[str], place: int, dialect: Dialect, width: int) -> tuple[list[str], int]:
    """Return the row that starts at `place` and its lines; no fields and one line where it is malformed."""
    if not _is_open(lines[place], dialect):
        return _row_of(lines[place], dialect, width), 1
    end = min(len(lines), place + _MOST_LINES_IN_A_FIELD)
    for stop in range(place + 1, end):
        # Only a line with a quote can close the field.
        if '"' not in lines[stop]:
            continue
        text = "\n".join(lines[place : stop + 1])
        if _is_open(text, dialect):
            continue
        row = _row_of(text, dialect, width)
        return (row, stop + 1 - place) if row else ([], 1)
    return [], 1


def _is_open(text: str, dialect: Dialect) -> bool:
    try:
        dialect.rows([text])
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _row_of(text: str, dialect: Dialect, width: int) -> list[str]:
    try:
        rows = dialect.rows([text])
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 and len(rows[0]) == width else []


def _frame_of(records: _Records, header: list[str], count: int, log: RejectLog) -> pl.DataFrame:
    width = len(header)
    rows, numbers = records.rows, list(range(count + 1, count + len(records.rows) + 1))
    if set(map(len, rows)) - {width}:
        bad = [number for number, row in enumerate(rows) if len(row) != width]
        log.malformed([numbers[number] for number in bad], [records.texts[number] for number in bad])
        numbers = [numbers[number] for number, row in enumerate(rows) if len(row) == width]
        rows = [row for row in rows if len(row) == width]
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    series = [pl.Series(name, values, dtype=pl.String) for name, values in zip(header, columns, strict=True)]
    return pl.DataFrame([pl.Series(ROW, numbers, dtype=pl.Int64), *series])
