"""JSON lines -> a frame of text; a line that is no JSON object comes out as malformed. Lists keep their parts."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from trifocal.data.rejects import ROW, RejectLog
from trifocal.data.text_blocks import line_blocks

__all__ = ["LIST_SEPARATOR", "read_json_lines"]

# Between the parts of a list, inside one text; whoever reads the column decides how they are joined.
LIST_SEPARATOR = "\x1f"


def read_json_lines(path: Path, encoding: str, log: RejectLog) -> tuple[pl.DataFrame, int]:
    """Return the objects of `path` as text columns, numbered in `ROW`, and how many lines hold something.

    Args:
        path: the file.
        encoding: of the file.
        log: takes the malformed lines.
    """
    frames = [pl.DataFrame(schema={ROW: pl.Int64})]
    count = 0
    for lines in line_blocks(path, encoding):
        full = [line for line in lines if line.strip()]
        frames.append(_frame_of(full, count, log))
        count += len(full)
    return pl.concat(frames, how="diagonal"), count


def _frame_of(lines: list[str], count: int, log: RejectLog) -> pl.DataFrame:
    numbers: list[int] = []
    objects: list[dict[str, str | None]] = []
    bad: list[int] = []
    for number, line in enumerate(lines):
        content = _object_of(line)
        if content is None:
            bad.append(number)
        else:
            numbers.append(count + number + 1)
            objects.append(content)
    log.malformed([count + number + 1 for number in bad], [lines[number] for number in bad])
    names = dict.fromkeys(name for content in objects for name in content)
    columns = [pl.Series(name, [content.get(name) for content in objects], dtype=pl.String) for name in names]
    return pl.DataFrame([pl.Series(ROW, numbers, dtype=pl.Int64), *columns])


def _object_of(line: str) -> dict[str, str | None] | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or ROW in content:
        return None
    return {name: _text_of(value) for name, value in content.items()}


def _text_of(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return LIST_SEPARATOR.join(_text_of(part) or "" for part in value)
    return json.dumps(value, ensure_ascii=False)
