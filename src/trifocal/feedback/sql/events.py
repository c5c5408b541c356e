"""A durable event store in SQL: a file of SQLite or a PostgreSQL server. Reads and writes nothing else.

Durable before acknowledged: SQLite keeps a write-ahead log with `synchronous = FULL`, PostgreSQL commits synchronously,
so that a commit that returned survives a power cut. Idempotent: the event id is unique, a second event of the same id
is ignored.

Numbered without gaps in time: PostgreSQL hands out sequence numbers before the commit, so that of two writers the later
number could be seen first, and a reader that has gone past it would never see the earlier. Every append therefore
holds one advisory lock from before the numbers are given until it has committed. SQLite has one writer anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from trifocal.errors import DataError
from trifocal.feedback.sql.engine import BUSY_TIMEOUT_S, is_postgres
from trifocal.feedback.sql.migrate import open_store
from trifocal.feedback.sql.tables import EVENTS
from trifocal.ports import StoredEvent

__all__ = ["SqlEventStore"]

_FIELDS = tuple(field.name for field in fields(StoredEvent))
_COLUMNS = tuple(EVENTS.c[name] for name in _FIELDS)
# Old events are deleted so many in a transaction, so that writers need not wait long.
_PRUNED_AT_ONCE = 5000
# Any number that no other program locks: the first eight letters of "trifocal".
_APPEND_LOCK = int.from_bytes(b"trifocal", "big")
# A server that is set to acknowledge before the disk has it is overruled for this transaction.
_LOCK = text(
    "SELECT set_config('lock_timeout', :timeout, true), "
    "CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END, "
    "pg_advisory_xact_lock(:key)"
).bindparams(timeout=f"{BUSY_TIMEOUT_S}s", key=_APPEND_LOCK)


class SqlEventStore:
    """Keeps events behind one address; safe to use from several threads and processes. Stability: caller."""

    def __init__(self, address: str | Path) -> None:
        """Open the store at `address`, creating its tables or bringing them up to date.

        Args:
            address: a path or `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.

        Raises:
            ConfigError: when the address is of another kind, or a package is missing.
            ArtifactError: when it cannot be opened, or is no such database.
        """
        self._engine = open_store(address, "event store")
        insert = postgresql.insert if is_postgres(self._engine) else sqlite.insert
        # RETURNING counts what was really inserted, also within one batch that names an id twice.
        self._insert = insert(EVENTS).on_conflict_do_nothing(index_elements=["event_id"]).returning(EVENTS.c.sequence)

    @property
    def engine(self) -> Engine:
        """The engine, for whoever asks more of the database than a store does."""
        return self._engine

    def append(self, events: Sequence[StoredEvent]) -> int:
        """Store `events` durably, in one transaction; return how many were new.

        Raises:
            DataError: when a text holds the character NUL, which PostgreSQL cannot keep.
        """
        if not events:
            return 0
        rows = [asdict(stored) for stored in events]
        with self._engine.begin() as connection:
            self._lock(connection, events)
            return len(connection.execute(self._insert, rows).all())

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        """Return the user's newest `limit` events, oldest first; equal times in the order of arrival."""
        statement = (
            select(*_COLUMNS)
            .where(EVENTS.c.user_id == user_id)
            .order_by(EVENTS.c.timestamp_s.desc(), EVENTS.c.sequence.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).all()
        return [StoredEvent(*row) for row in reversed(found)]

    def after(self, sequence: int, limit: int) -> list[tuple[int, StoredEvent]]:
        """Return the first `limit` events past `sequence` in the order of arrival, each with its number."""
        statement = select(EVENTS.c.sequence, *_COLUMNS).where(EVENTS.c.sequence > sequence)
        with self._engine.connect() as connection:
            found = connection.execute(statement.order_by(EVENTS.c.sequence).limit(limit)).all()
        return [(number, StoredEvent(*row)) for number, *row in found]

    def count(self) -> int:
        """Return how many events are kept."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(EVENTS)).scalar_one()

    def prune(self, before_s: float) -> int:
        """Delete durably what happened before `before_s`, some at a time; return how many events there were."""
        old = select(EVENTS.c.sequence).where(EVENTS.c.timestamp_s < before_s).order_by(EVENTS.c.sequence)
        statement = delete(EVENTS).where(EVENTS.c.sequence.in_(old.limit(_PRUNED_AT_ONCE)))
        total = 0
        while True:
            with self._engine.begin() as connection:
                gone = connection.execute(statement).rowcount
            total += gone
            if not gone:
                return total

    def forget(self, user_id: str) -> int:
        """Delete every event of the user durably; return how many there were."""
        with self._engine.begin() as connection:
            return connection.execute(delete(EVENTS).where(EVENTS.c.user_id == user_id)).rowcount

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _lock(self, connection: Connection, events: Sequence[StoredEvent]) -> None:
        if not is_postgres(self._engine):
            return
        _refuse_nul(events)
        connection.execute(_LOCK)


def _refuse_nul(events: Sequence[StoredEvent]) -> None:
    for event in events:
        broken = [name for name in _FIELDS if "\0" in str(getattr(event, name))]
        if broken:
            raise DataError(
                f"{broken[0]} of the event {event.event_id!r} holds the character NUL, which PostgreSQL cannot keep; "
                "send it without"
            )
