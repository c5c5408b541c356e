"""What every `ItemStore` does, whatever keeps its items."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trifocal.ports import ItemStore, KeptItem, StoredItem

LAMP = StoredItem("lamp", "Lamp", "It glows.", "Home > Lamps", 9.5, (("colour", "red"),), picture="a.png")


class ItemStoreContract:
    def open(self, folder: Path) -> ItemStore:
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[ItemStore]:
        store = self.open(tmp_path)
        yield store
        store.close()

    def test_every_field_comes_back(self, store: ItemStore) -> None:
        kept = KeptItem("lamp", LAMP, b"\x00\xff", "v1")
        store.put(kept)
        assert store.item("lamp") == kept
        assert store.items() == [kept]
        assert store.item("hat") is None

    def test_an_id_keeps_its_place(self, store: ItemStore) -> None:
        for name in ("b", "a", "c"):
            store.put(KeptItem(name, StoredItem(name)))
        store.put(KeptItem("b", None))
        store.put(KeptItem("a", StoredItem("a", title="Again")))
        assert [(kept.item_id, kept.item and kept.item.title) for kept in store.items()] == [
            ("b", None),
            ("a", "Again"),
            ("c", None),
        ]

    def test_users_to_forget(self, store: ItemStore) -> None:
        store.forget_user("ann", 1.0)
        store.forget_user("ann", 2.5)
        store.forget_user("ben", 1.5)
        assert store.forgotten_users() == {"ann": 2.5, "ben": 1.5}

    def test_there_is_a_folder_for_pictures(self, store: ItemStore) -> None:
        assert store.pictures is not None
        (store.pictures / "a.png").write_bytes(b"x")
        assert (store.pictures / "a.png").read_bytes() == b"x"
