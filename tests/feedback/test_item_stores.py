from __future__ import annotations

from pathlib import Path

from tests.contracts.item_store import ItemStoreContract

from trifocal.feedback import MemoryItemStore
from trifocal.ports import ItemStore


class TestMemoryItemStore(ItemStoreContract):
    def open(self, folder: Path) -> ItemStore:
        return MemoryItemStore()


def test_it_forgets_on_exit() -> None:
    assert not MemoryItemStore().is_durable
