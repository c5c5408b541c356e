from __future__ import annotations

from pathlib import Path

import pytest
from tests.contracts.item_store import LAMP, ItemStoreContract

from trifocal.errors import ArtifactError
from trifocal.feedback import MemoryItemStore
from trifocal.feedback.sqlite_items import SqliteItemStore
from trifocal.feedback.sqlite_store import SqliteEventStore
from trifocal.ports import ItemStore, KeptItem, StoredEvent


class TestMemoryItemStore(ItemStoreContract):
    def open(self, folder: Path) -> ItemStore:
        return MemoryItemStore()


class TestSqliteItemStore(ItemStoreContract):
    def open(self, folder: Path) -> ItemStore:
        return SqliteItemStore(folder / "events.sqlite")


def test_items_live_in_the_file_of_the_events(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    events, items = SqliteEventStore(path), SqliteItemStore(path)
    items.put(KeptItem("lamp", LAMP))
    events.append([StoredEvent("e", "ann", "lamp", "click", 1.0)])
    items.close()
    again = SqliteItemStore(path)
    assert (again.items(), again.is_durable, MemoryItemStore().is_durable) == ([KeptItem("lamp", LAMP)], True, False)
    assert len(events.newest("ann", 5)) == 1
    again.close()
    events.close()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"no database, but long enough to be looked at as one" * 20)
    with pytest.raises(ArtifactError, match="cannot serve as item store"):
        SqliteItemStore(path)
