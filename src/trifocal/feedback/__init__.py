"""What comes back from the live service: a durable log of events. The one in SQL: `trifocal.feedback.sqlite_store`."""

from trifocal.feedback.memory_store import MemoryEventStore

__all__ = ["MemoryEventStore"]
