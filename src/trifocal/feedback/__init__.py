"""What comes back from the live service: a durable log of events, and of items that were changed while it ran.

Those in SQL: `trifocal.feedback.sql`.
"""

from trifocal.feedback.memory_items import MemoryItemStore
from trifocal.feedback.memory_store import MemoryEventStore

__all__ = ["MemoryEventStore", "MemoryItemStore"]
