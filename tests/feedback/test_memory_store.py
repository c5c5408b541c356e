from __future__ import annotations

from pathlib import Path

from tests.contracts.event_store import EventStoreContract

from trifocal.feedback import MemoryEventStore
from trifocal.ports import EventStore


class TestMemoryEventStore(EventStoreContract):
    def open(self, folder: Path) -> EventStore:
        return MemoryEventStore()
