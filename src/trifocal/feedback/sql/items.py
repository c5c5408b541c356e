"""A durable item store in the database of the events; pictures in a folder.

```
tables live_items, forgotten_users
FILE.pictures/   beside a file of SQLite, or the folder that was named: one file a picture
```

Durable before acknowledged, as the event store is. Reads and writes nothing else.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from trifocal.feedback.sql.engine import is_postgres, sqlite_path
from trifocal.feedback.sql.migrate import open_store
from trifocal.feedback.sql.tables import FORGOTTEN, ITEMS
from trifocal.ports import KeptItem, StoredItem

__all__ = ["SqlItemStore"]

_COLUMNS = (ITEMS.c.item_id, ITEMS.c.item, ITEMS.c.features, ITEMS.c.model_version)


class SqlItemStore:
    """Keeps changes behind one address; safe to use from several threads, written by one process. Stability: caller."""

    def __init__(self, address: str | Path, *, pictures: Path | None = None) -> None:
        """Open the store at `address`, creating its tables or bringing them up to date.

        Args:
            address: as of the event store.
            pictures: folder of the pictures; None = beside the file, or none where the address is a server.

        Raises:
            ConfigError: when the address is of another kind, or a package is missing.
            ArtifactError: when it cannot be opened, or is no such database.
        """
        file = sqlite_path(address)
        self._pictures = pictures or (None if file is None else file.with_name(file.name + ".pictures"))
        self._engine = open_store(address, "item store")
        self._insert = postgresql.insert if is_postgres(self._engine) else sqlite.insert

    @property
    def pictures(self) -> Path | None:
        """The folder of the pictures, made when it is first asked for; None = this store keeps no pictures."""
        if self._pictures is None:
            return None
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
        statement = self._insert(ITEMS).values(values).on_conflict_do_update(index_elements=["item_id"], set_=changed)
        with self._engine.begin() as connection:
            connection.execute(statement)

    @property
    def is_durable(self) -> bool:
        """True: what was kept is on the disk."""
        return True

    def item(self, item_id: str) -> KeptItem | None:
        """Return what is kept under `item_id`, or None."""
        with self._engine.connect() as connection:
            found = connection.execute(select(*_COLUMNS).where(ITEMS.c.item_id == item_id)).first()
        return None if found is None else _kept(*found)

    def items(self) -> list[KeptItem]:
        """Return everything kept, in the order in which the ids first came."""
        with self._engine.connect() as connection:
            found = connection.execute(select(*_COLUMNS).order_by(ITEMS.c.sequence)).all()
        return [_kept(*row) for row in found]

    def forget_user(self, user_id: str, at_s: float) -> None:
        """Note durably that what the user did up to `at_s` must not be used any more."""
        statement = self._insert(FORGOTTEN).values(user_id=user_id, at_s=at_s)
        statement = statement.on_conflict_do_update(index_elements=["user_id"], set_={"at_s": at_s})
        with self._engine.begin() as connection:
            connection.execute(statement)

    def forgotten_users(self) -> dict[str, float]:
        """Return user id -> up to when."""
        with self._engine.connect() as connection:
            return {row.user_id: row.at_s for row in connection.execute(select(FORGOTTEN))}

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
