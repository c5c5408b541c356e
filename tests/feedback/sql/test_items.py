from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.item_store import LAMP, ItemStoreContract

from trifocal.errors import ArtifactError
from trifocal.feedback.sql import SqlEventStore, SqlItemStore
from trifocal.ports import ItemStore, KeptItem, StoredEvent


class TestSqliteItems(ItemStoreContract):
    def open(self, folder: Path) -> ItemStore:
        return SqlItemStore(folder / "events.sqlite")


class TestPostgresItems(ItemStoreContract):
    @pytest.fixture(autouse=True)
    def _database(self, new_database: Callable[[], str]) -> None:
        self.address = new_database()

    def open(self, folder: Path) -> ItemStore:
        return SqlItemStore(self.address, pictures=folder / "pictures")


def test_items_live_in_the_file_of_the_events(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    events, items = SqlEventStore(path), SqlItemStore(path)
    items.put(KeptItem("lamp", LAMP))
    events.append([StoredEvent("e", "ann", "lamp", "click", 1.0)])
    items.close()
    again = SqlItemStore(path)
    assert (again.items(), again.is_durable) == ([KeptItem("lamp", LAMP)], True)
    assert len(events.newest("ann", 5)) == 1
    again.close()
    events.close()


def test_where_pictures_are(tmp_path: Path, new_database: Callable[[], str]) -> None:
    with closing(SqlItemStore(tmp_path / "events.sqlite")) as store:
        assert store.pictures == tmp_path / "events.sqlite.pictures"
    with closing(SqlItemStore(f"sqlite:///{tmp_path}/other.sqlite", pictures=tmp_path / "elsewhere")) as store:
        assert store.pictures == tmp_path / "elsewhere"
    with closing(SqlItemStore(new_database())) as store:
        assert store.pictures is None


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"no database, but long enough to be looked at as one" * 20)
    with pytest.raises(ArtifactError, match="cannot serve as item store"):
        SqlItemStore(path)
