"""A data set on disk: a folder of canonical Parquet tables, written by an import or by the sample shop.

```
FOLDER/items.parquet     one row a product, see columns.py
      /events.parquet    one row an event, ordered by time; ties keep the order of the source
      /rejects.parquet   rows that could not be used, each with its reason
      /summary.json      counts, for people and for the report
      /dataset.json      name, format version, where the pictures are
```

`image` holds a path relative to the picture folder, which may lie elsewhere: pictures are never copied.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.errors import DataError
from trifocal.types import Vocabulary

__all__ = ["EVENT_SCHEMA", "FORMAT_VERSION", "ITEM_SCHEMA", "Dataset", "read_dataset", "write_dataset"]

FORMAT_VERSION = 1

ITEM_SCHEMA: dict[str, pl.DataType] = {
    c.ITEM_ID: pl.String(),
    c.TITLE: pl.String(),
    c.DESCRIPTION: pl.String(),
    c.CATEGORY: pl.String(),
    c.IMAGE: pl.String(),
    c.PRICE: pl.Float64(),
    c.CREATED_AT: pl.Datetime("us", "UTC"),
    c.AVAILABLE: pl.Boolean(),
}
EVENT_SCHEMA: dict[str, pl.DataType] = {
    c.USER_ID: pl.String(),
    c.ITEM_ID: pl.String(),
    c.EVENT: pl.String(),
    c.TIMESTAMP: pl.Datetime("us", "UTC"),
    c.SESSION_ID: pl.String(),
    c.DEVICE: pl.String(),
    c.COUNTRY: pl.String(),
    c.DWELL_MS: pl.Int64(),
    c.POSITION: pl.Int64(),
    c.QUERY: pl.String(),
    c.VALUE: pl.Float64(),
}


@dataclass(frozen=True)
class Dataset:
    """Canonical items and events, in memory.

    Attributes:
        name: as it stands in reports.
        items: `ITEM_SCHEMA` plus any `attribute.<name>` text columns.
        events: `EVENT_SCHEMA`, oldest first; ties in the order of the source.
        image_root: the folder that `image` paths are relative to.
    """

    name: str
    items: pl.DataFrame
    events: pl.DataFrame
    image_root: Path

    def vocabulary(self) -> Vocabulary:
        """Return the item ids; the row of an id is its row in `items`."""
        return Vocabulary.of(self.items[c.ITEM_ID].to_list())


def write_dataset(dataset: Dataset, folder: Path) -> None:
    """Write `dataset` to `folder`, creating it; the picture folder is stored relative to it where it lies inside."""
    folder.mkdir(parents=True, exist_ok=True)
    conform(dataset.items, ITEM_SCHEMA, extra_prefix=c.ATTRIBUTE_PREFIX).write_parquet(folder / "items.parquet")
    conform(dataset.events, EVENT_SCHEMA).write_parquet(folder / "events.parquet")
    root = dataset.image_root.resolve()
    inside = root.is_relative_to(folder.resolve())
    image_root = root.relative_to(folder.resolve()).as_posix() if inside else root.as_posix()
    about = {"format_version": FORMAT_VERSION, "name": dataset.name, "image_root": image_root}
    (folder / "dataset.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def read_dataset(folder: Path) -> Dataset:
    """Return the data set in `folder`.

    Raises:
        DataError: when the folder is none, or of another format version.
    """
    try:
        about = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{folder} is no data set: dataset.json is missing; make one with `trifocal data import` "
            "or `trifocal shop generate`"
        ) from None
    if about["format_version"] != FORMAT_VERSION:
        raise DataError(
            f"{folder} has data set format {about['format_version']}, this version reads {FORMAT_VERSION}; import again"
        )
    return Dataset(
        name=about["name"],
        items=pl.read_parquet(folder / "items.parquet"),
        events=pl.read_parquet(folder / "events.parquet"),
        image_root=(folder / about["image_root"]).resolve(),
    )


def conform(frame: pl.DataFrame, schema: dict[str, pl.DataType], *, extra_prefix: str | None = None) -> pl.DataFrame:
    """Return `frame` with exactly the columns of `schema` in their types, absent ones null, and `extra_prefix` ones."""
    extra = [n for n in frame.columns if extra_prefix is not None and n.startswith(extra_prefix)]
    known = [
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
    ]
    return frame.select(*known, *(pl.col(name).cast(pl.String) for name in extra))
