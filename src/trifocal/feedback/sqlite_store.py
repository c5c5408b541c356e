"""A durable event store in one SQLite file, through SQLAlchemy Core. Reads and writes that file alone.

Durable before acknowledged: write-ahead log with `synchronous = FULL`, so that a commit that returned survives a
power cut. Idempotent: the event id is unique, and a second event of the same id is ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from trifocal.errors import ArtifactError, ConfigError
from trifocal.ports import StoredEvent

try:
    from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, create_engine, delete, event, select
    from sqlalchemy.dialects.sqlite import insert
    from sqlalchemy.exc import DatabaseError
except ImportError as missing:
    raise ConfigError(f"the event store needs the package {missing.name}: pip install 'trifocal[serve]'") from None

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["SqliteEventStore", "make_durable"]

# A writer waits this long for another process to finish its transaction.
_BUSY_TIMEOUT_S = 30

_METADATA = MetaData()
_EVENTS = Table(
    "events",
    _METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("user_id", String, nullable=False),
    Column("item_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("timestamp_s", Float, nullable=False),
    Column("session_id", String),
    Column("device", String),
    Column("country", String),
    Column("dwell_ms", Integer),
    Column("position", Integer),
    Column("query", String),
    Column("value", Float),
    Column("answer_id", String),
    Column("propensity", Float),
    Column("model_version", String),
    Column("variant", String),
    Column("rung", String),
    Index("events_by_user", "user_id", "timestamp_s", "sequence"),
)
_FIELDS = tuple(field.name for field in fields(StoredEvent))


class SqliteEventStore:
    """Keeps events in one file; safe to use from several threads and processes. Stability: caller."""

    def __init__(self, path: Path) -> None:
        """Open the store at `path`, creating it where there is none.

        Raises:
            ArtifactError: when the file cannot be opened, or is no SQLite database.
        """
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_S})
        event.listen(self._engine, "connect", make_durable)
        try:
            _METADATA.create_all(self._engine)
        except DatabaseError as error:
            self._engine.dispose()
            raise ArtifactError(
                f"{path} cannot serve as event store ({error.orig}); name a file of SQLite in a folder that is writable"
            ) from None

    def append(self, events: Sequence[StoredEvent]) -> int:
        """Store `events` durably, in one transaction; return how many were new."""
        if not events:
            return 0
        # RETURNING counts what was really inserted, also within one batch that names an id twice.
        statement = insert(_EVENTS).on_conflict_do_nothing(index_elements=["event_id"]).returning(_EVENTS.c.sequence)
        with self._engine.begin() as connection:
            return len(connection.execute(statement, [asdict(stored) for stored in events]).all())

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        """Return the user's newest `limit` events, oldest first; equal times in the order of arrival."""
        statement = (
            select(*(_EVENTS.c[name] for name in _FIELDS))
            .where(_EVENTS.c.user_id == user_id)
            .order_by(_EVENTS.c.timestamp_s.desc(), _EVENTS.c.sequence.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).all()
        return [StoredEvent(*row) for row in reversed(found)]

    def forget(self, user_id: str) -> int:
        """Delete every event of the user durably; return how many there were."""
        with self._engine.begin() as connection:
            return connection.execute(delete(_EVENTS).where(_EVENTS.c.user_id == user_id)).rowcount

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def make_durable(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Set a new connection to SQLite so that what was committed survives a power cut."""
    cursor = connection.cursor()
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON"):
        cursor.execute(statement)
    cursor.close()
