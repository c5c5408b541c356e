"""The column map: which file and which column of the outside world holds what. Read from TOML, checked as a whole.

```toml
[items]
file = "products.csv"
image_root = "photos"
image_pattern = "{item_id}.jpg"
[items.columns]
item_id = "sku"
title = ["brand", "name"]
[items.columns.attributes]
colour = "colour_name"

[events]
file = "log.jsonl"
timestamp_format = "ms"
[events.columns]
user_id = "visitor"
item_id = "sku"
event = "action"
timestamp = "at"
[events.values]
view = "click"
```

It knows names and limits, not files: whether a file or column is there is found out when it is read.
"""

from __future__ import annotations

import codecs
import string
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from trifocal.errors import ConfigError
from trifocal.types import EventType

__all__ = ["ColumnMap", "EventSource", "ItemSource", "Limits", "TableFile", "column_map_of", "load_column_map"]

_STRICT = ConfigDict(frozen=True, extra="forbid")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


# One column name, or several whose texts are joined.
_Columns = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class ItemColumns(BaseModel):
    """Source columns of the item table; all but `item_id` may be absent."""

    model_config = _STRICT

    item_id: str
    """The product's id; the first row of an id is kept."""
    title: _Columns = ()
    """Several columns are joined with ", "."""
    description: _Columns = ()
    """Several columns are joined with ", "."""
    category: _Columns = ()
    """Several columns are the levels of the path, from general to special."""
    image: str | None = None
    """File of the picture, relative to `image_root`."""
    price: str | None = None
    """In the shop's own currency, within `limits`."""
    created_at: str | None = None
    """When the product came into the shop."""
    available: str | None = None
    """true/false, yes/no, 1/0; available where absent or empty."""
    attributes: Mapping[str, str] = Field(default_factory=dict)
    """Name of a free attribute -> source column."""


class EventColumns(BaseModel):
    """Source columns of the event table; all but `user_id` and `item_id` may be absent."""

    model_config = _STRICT

    user_id: str
    """Who."""
    item_id: str
    """Which product; must be one of the item table."""
    event: str | None = None
    """What was done; see `values`."""
    timestamp: str | None = None
    """When; an empty one is kept as unknown."""
    session_id: str | None = None
    """Where absent or empty, sessions are made from idle gaps."""
    device: str | None = None
    """Such as "phone"."""
    country: str | None = None
    """Such as "SE"."""
    dwell_ms: str | None = None
    """Milliseconds looked at."""
    position: str | None = None
    """Place in the list that was shown, 1 = first."""
    query: str | None = None
    """The search text that led here."""
    value: str | None = None
    """Rating, quantity or revenue."""


class TableFile(BaseModel):
    """One source file and how to read it as a table of text."""

    model_config = _STRICT

    file: str
    """Path, relative to the source folder; `.gz` is unpacked on the fly."""
    format: Literal["csv", "jsonl", "parquet"] | None = None
    """By the file's ending where absent."""
    separator: str = Field(default=",", min_length=1)
    """Between CSV fields; may be longer than one character where `quoted` is false."""
    quoted: bool = True
    """Whether a double quote opens a CSV field."""
    header: tuple[str, ...] | None = None
    """Column names of a CSV file that has no header line."""
    encoding: str = "utf-8-sig"
    """Of CSV and JSON lines; the default also takes UTF-8 without a byte order mark."""
    missing_values: tuple[str, ...] = ()
    """Texts that mean "no value", such as "NA"; an empty text always does."""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(f"{value!r} is no text encoding; use one such as utf-8 or latin-1") from None

    @model_validator(mode="after")
    def _one_character_separator(self) -> TableFile:
        if self.quoted and len(self.separator) > 1:
            raise ValueError(f"separator {self.separator!r} has several characters; set quoted = false to use it")
        return self


class ItemSource(TableFile):
    """The item table."""

    columns: ItemColumns
    """Source columns."""
    image_root: str = "."
    """Folder of the pictures, relative to the source folder."""
    image_pattern: str | None = None
    """File of the picture by id, `{item_id}.jpg`; `{item_id:.3}` is its first three characters."""
    category_separator: str | None = None
    """Splits one category column into the levels of its path, such as "/"."""
    timestamp_format: str = "auto"
    """Of `created_at`; as in the event table."""

    @field_validator("image_pattern")
    @classmethod
    def _pattern_of_item_id(cls, value: str | None) -> str | None:
        if value is not None and {field for _, field, _, _ in string.Formatter().parse(value) if field} != {"item_id"}:
            raise ValueError(f"image_pattern {value!r} must hold {{item_id}} and no other field")
        return value

    @model_validator(mode="after")
    def _text_or_picture(self) -> ItemSource:
        if not (self.columns.title or self.columns.image or self.image_pattern):
            raise ValueError(
                "name a title column, an image column or an image_pattern: an item needs text or a picture"
            )
        return self


class EventSource(TableFile):
    """The event table."""

    columns: EventColumns
    """Source columns."""
    values: Mapping[str, EventType] = Field(default_factory=dict)
    """Source event name -> canonical one; case does not matter."""
    default_event: EventType = EventType.PURCHASE
    """Of rows without an event."""
    timestamp_format: str = "auto"
    """auto | iso | s | ms | us | a strptime pattern such as "%d.%m.%Y %H:%M"."""
    session_gap_minutes: float = Field(default=30.0, gt=0)
    """A longer pause starts a new session."""


class Limits(BaseModel):
    """What is believed."""

    model_config = _STRICT

    price_min: float = 0.0
    """A lower price is absurd."""
    price_max: float = 1e7
    """A higher price is absurd."""


class ColumnMap(BaseModel):
    """Items, events and limits of one import. Stability: full."""

    model_config = _STRICT

    items: ItemSource
    """The item table."""
    events: EventSource
    """The event table."""
    limits: Limits = Limits()
    """What is believed."""


def column_map_of(content: Mapping[str, Any], where: str) -> ColumnMap:
    """Return the checked map of parsed TOML.

    Args:
        content: the parsed tables.
        where: the file, for the message.

    Raises:
        ConfigError: naming every fault at once.
    """
    try:
        return ColumnMap.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'map'}: {fault['msg']}" for fault in error.errors()]
        raise ConfigError(f"{where} has {len(faults)} fault(s): {'; '.join(faults)}") from None


def load_column_map(path: Path) -> ColumnMap:
    """Return the column map in the TOML file `path`.

    Raises:
        ConfigError: when the file is missing, is no TOML, or has faults; all of them are named.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"the column map {path} does not exist; docs/guides/import.md shows one to start from"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the column map {path} is no TOML: {error}") from None
    return column_map_of(content, str(path))
