"""A durable item store in the SQLite file of the events, through SQLAlchemy Core; pictures in a folder beside it.

```
FILE            tables `live_items`, `forgotten_users`
FILE.pictures/  one file a picture
```

Durable before acknowledged, as the event store is. Reads and writes nothing else.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trifocal.errors import ArtifactError, ConfigError
from trifocal.ports import KeptItem, StoredItem

try:
    from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, String, Table, create_engine, event, select
    from sqlalchemy.dialects.sqlite import insert
    from sqlalchemy.exc import DatabaseError
except ImportError as missing:
    raise ConfigError(f"the item store needs the package {missing.name}: pip install 'trifocal[serve]'") from None

from trifocal.feedback.sqlite_store import make_durable

__all__ = ["SqliteItemStore"]

_BUSY_TIMEOUT_S = 30

_METADATA = MetaData()
_ITEMS = Table(
    "live_items",
    _METADATA,
    # The order in which ids first came: rows of new items are given in it.
    Column("sequence", Integer, primary_key=True),
    Column("item_id", String, nullable=False, unique=True),
    # JSON of the item as it stands now; NULL = it was deleted.
    Column("item", String),
    Column("features", LargeBinary, nullable=False),
    Column("model_version", String, nullable=False),
)
_COLUMNS = (_ITEMS.c.item_id, _ITEMS.c.item, _ITEMS.c.features, _ITEMS.c.model_version)
_FORGOTTEN = Table(
    "forgotten_users",
    _METADATA,
    Column("user_id", String, primary_key=True),
    Column("at_s", Float, nullable=False),
)


class SqliteItemStore:
    """Keeps changes in one file; safe to use from several threads, written by one process. Stability: caller."""

    def __init__(self, path: Path) -> None:
        """Open the store at `path`, creating it where there is none.

        Raises:
            ArtifactError: when the file cannot be opened, or is no SQLite database.
        """
        self._pictures = path.with_name(path.name + ".pictures")
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_S})
        event.listen(self._engine, "connect", make_durable)
        try:
            _METADATA.create_all(self._engine)
        except DatabaseError as error:
            self._engine.dispose()
            raise ArtifactError(
                f"{path} cannot serve as item store ({error.orig}); name a file of SQLite in a folder that is writable"
            ) from None

    @property
    def pictures(self) -> Path:
        """The folder of the pictures; made when it is first asked for."""
        self._pictures.mkdir(exist_ok=True)
        return self._pictures.resolve()

    def put(self, kept: KeptItem) -> None:
        """Keep `kept` durably, in place of what was there under its id."""
        values = {
            "item_id": kept.item_id,
            "item": None if kept.item is None else json.dumps(asdict(kept.item), ensure_ascii=False),
            "features": kept.features,
            "model_version": kept.model_version,
        }
        changed = {name: value for name, value in values.items() if name != "item_id"}
        statement = insert(_ITEMS).values(values).on_conflict_do_update(index_elements=["item_id"], set_=changed)
        with self._engine.begin() as connection:
            connection.execute(statement)

    @property
    def is_durable(self) -> bool:
        """True: what was kept is on the disk."""
        return True

    def item(self, item_id: str) -> KeptItem | None:
        """Return what is kept under `item_id`, or None."""
        with self._engine.connect() as connection:
            found = connection.execute(select(*_COLUMNS).where(_ITEMS.c.item_id == item_id)).first()
        return None if found is None else _kept(*found)

    def items(self) -> list[KeptItem]:
        """Return everything kept, in the order in which the ids first came."""
        with self._engine.connect() as connection:
            found = connection.execute(select(*_COLUMNS).order_by(_ITEMS.c.sequence)).all()
        return [_kept(*row) for row in found]

    def forget_user(self, user_id: str, at_s: float) -> None:
        """Note durably that what the user did up to `at_s` must not be used any more."""
        statement = insert(_FORGOTTEN).values(user_id=user_id, at_s=at_s)
        statement = statement.on_conflict_do_update(index_elements=["user_id"], set_={"at_s": at_s})
        with self._engine.begin() as connection:
            connection.execute(statement)

    def forgotten_users(self) -> dict[str, float]:
        """Return user id -> up to when."""
        with self._engine.connect() as connection:
            return {row.user_id: row.at_s for row in connection.execute(select(_FORGOTTEN))}

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _kept(item_id: str, item: str | None, features: bytes, model_version: str) -> KeptItem:
    return KeptItem(item_id, _item(item), features, model_version)


def _item(text: str | None) -> StoredItem | None:
    if text is None:
        return None
    values: dict[str, Any] = json.loads(text)
    attributes = tuple((name, value) for name, value in values["attributes"])
    return StoredItem(**{**values, "attributes": attributes})
