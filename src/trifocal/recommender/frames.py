"""Frames of the outside world <-> polars. pandas is never needed, and never imported unless a frame is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from trifocal.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Frame", "Ids", "Table", "as_frame", "bytes_of", "ids_of", "is_pandas", "seconds_of", "told"]

Frame: TypeAlias = "pl.DataFrame | pd.DataFrame"
Table: TypeAlias = "pl.DataFrame | pd.DataFrame | str | Path"
Ids: TypeAlias = "str | int | Sequence[str] | Sequence[int] | pl.Series | pd.Series"


def is_pandas(value: object) -> bool:
    """Return whether `value` is a frame of pandas.

    >>> is_pandas(pl.DataFrame())
    False
    """
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "columns")


def as_frame(frame: Frame, name: str) -> pl.DataFrame:
    """Return `frame` as polars; the index of a pandas frame is left out.

    Args:
        frame: of polars or pandas.
        name: what it holds, for the message.

    Raises:
        DataError: when it is neither, or a column of it mixes kinds that cannot stand in one column.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    if not is_pandas(frame):
        raise DataError(f"{name} is of the class {type(frame).__name__}; give a frame of polars or pandas")
    import pyarrow

    try:
        return pl.from_pandas(frame)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise DataError(f"{name} has a column of mixed kinds ({error}); give each column one kind, or text") from None


def told(frame: pl.DataFrame, *, as_pandas: bool) -> Frame:
    """Return `frame`, as pandas where that is wanted.

    Raises:
        ConfigError: when pandas is not installed.
    """
    if not as_pandas:
        return frame
    try:
        return frame.to_pandas()
    except ModuleNotFoundError as error:
        raise ConfigError(f"an answer as pandas needs {error.name}; install trifocal[pandas]") from None


def ids_of(ids: Ids) -> list[str]:
    """Return ids as text, each once, in their order: of one id, a list, an array or a series.

    >>> ids_of(7), ids_of(["anna", "ben", "anna"])
    (['7'], ['anna', 'ben'])
    """
    several: Iterable[object] = [ids] if isinstance(ids, str | int) else ids
    return list(dict.fromkeys(str(value) for value in several))


def seconds_of(moment: object) -> float | None:
    """Return seconds since 1970, UTC, of a time or a number; a time without a zone is UTC.

    Raises:
        DataError: when `moment` is neither.

    >>> seconds_of(datetime(1970, 1, 2)), seconds_of(5), seconds_of(None)
    (86400.0, 5.0, None)
    """
    match moment:
        case None:
            return None
        case datetime():
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        case int() | float():
            return float(moment)
    raise DataError(f"{moment!r} is no time; give a datetime, or seconds since 1970")


def bytes_of(picture: str | Path | bytes | None) -> bytes | None:
    """Return the bytes of a picture file.

    Raises:
        DataError: when there is no such file.
    """
    if picture is None or isinstance(picture, bytes):
        return picture
    try:
        return Path(picture).read_bytes()
    except OSError as error:
        raise DataError(f"the picture {picture} cannot be read ({error.strerror}); name a file") from None
