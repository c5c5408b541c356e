from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contracts.event_store import EventStoreContract, stored_event

from trifocal.errors import DataError
from trifocal.feedback.sql import SqlEventStore
from trifocal.ports import EventStore


class TestSqliteEvents(EventStoreContract):
    def open(self, folder: Path) -> EventStore:
        return SqlEventStore(folder / "events.sqlite")


class TestPostgresEvents(EventStoreContract):
    @pytest.fixture(autouse=True)
    def _database(self, new_database: Callable[[], str]) -> None:
        self.address = new_database()

    def open(self, folder: Path) -> EventStore:
        return SqlEventStore(self.address)


def test_events_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    # The writer dies without closing anything, as after a power cut.
    program = f"""
import os
from trifocal.feedback.sql import SqlEventStore
from trifocal.ports import StoredEvent
store = SqlEventStore({str(path)!r})
store.append([StoredEvent("e1", "ann", "shoe", "click", 1.0)])
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    with closing(SqlEventStore(path)) as store:
        assert [event.item_id for event in store.newest("ann", 5)] == ["shoe"]


def test_sqlite_has_it_on_the_disk_before_it_returns(tmp_path: Path) -> None:
    with closing(SqlEventStore(tmp_path / "events.sqlite")) as store, store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        # 2 is FULL.
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_postgres_that_acknowledges_too_early_is_overruled(new_database: Callable[[], str]) -> None:
    address = new_database() + "&options=-csynchronous_commit%3Doff"
    with closing(SqlEventStore(address)) as store:
        setting = text("SELECT current_setting('synchronous_commit')")
        with store.engine.begin() as connection:
            assert connection.execute(setting).scalar() == "off"
            store._lock(connection, [])
            assert connection.execute(setting).scalar() == "on"


def test_a_writer_waits_for_the_numbers_of_the_one_before(new_database: Callable[[], str]) -> None:
    with closing(SqlEventStore(new_database())) as store:
        with store.engine.begin() as slow:
            store._lock(slow, [])
            with store.engine.connect() as other:
                mode = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                assert other.execute(text(mode)).scalar() == 1
                key = int.from_bytes(b"trifocal", "big")
                assert other.execute(text(f"SELECT pg_try_advisory_xact_lock({key})")).scalar() is False
        assert store.append([stored_event(1)]) == 1


def test_what_postgres_cannot_keep_is_refused_whole(new_database: Callable[[], str]) -> None:
    with closing(SqlEventStore(new_database())) as store:
        with pytest.raises(DataError, match="query of the event 'e2' holds the character NUL"):
            store.append([stored_event(1), replace(stored_event(2), query="red\0shoe")])
        assert store.count() == 0


def test_a_user_is_found_through_the_index(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqlEventStore(path)) as store:
        store.append([stored_event(1)])
    with closing(sqlite3.connect(path)) as connection:
        question = "EXPLAIN QUERY PLAN SELECT * FROM events WHERE user_id = ? ORDER BY timestamp_s DESC, sequence DESC"
        plan = str(connection.execute(question, ("ann",)).fetchall())
    assert "events_by_user" in plan
    assert "TEMP B-TREE" not in plan


def test_much_is_deleted_in_small_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqlEventStore(tmp_path / "events.sqlite")) as store:
        store.append([stored_event(number) for number in range(11_000)])
        assert (store.prune(10_500.0), store.count()) == (10_500, 500)
