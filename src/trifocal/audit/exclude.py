"""Which pictures a training leaves out: `audit.parquet`, or a text file with one item id a line."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from trifocal import columns as c
from trifocal.audit.finding import FINDING, PICTURE_KINDS, SEVERITY, Kind
from trifocal.errors import ConfigError

__all__ = ["excluded_items"]


def excluded_items(path: Path, kinds: Collection[Kind] = PICTURE_KINDS) -> frozenset[str]:
    """Return the ids of the items whose picture the file at `path` says to leave out.

    Of an audit only errors count: a warning is for people to look at. In a text file, lines with a # are notes.

    Raises:
        ConfigError: when there is no such file, or it is neither.
    """
    if not path.is_file():
        raise ConfigError(f"there is no file {path} of pictures to leave out; write one with `trifocal audit`")
    if path.suffix != ".parquet":
        lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        return frozenset(line for line in lines if line and not line.startswith("#"))
    try:
        frame = pl.read_parquet(path)
        errors = frame.filter((pl.col(SEVERITY) == "error") & pl.col(FINDING).is_in(list(kinds)))
        return frozenset(errors[c.ITEM_ID].to_list())
    except PolarsError as error:
        raise ConfigError(
            f"{path} is no audit ({str(error).splitlines()[0]}); give the audit.parquet of `trifocal audit`, "
            "or a text file with one item id a line"
        ) from error
