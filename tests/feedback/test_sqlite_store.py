from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.event_store import EventStoreContract, stored_event

from trifocal.errors import ArtifactError
from trifocal.feedback.sqlite_store import SqliteEventStore
from trifocal.ports import EventStore


class TestSqliteEventStore(EventStoreContract):
    def open(self, folder: Path) -> EventStore:
        return SqliteEventStore(folder / "events.sqlite")


def test_events_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    # The writer dies without closing anything, as after a power cut.
    program = f"""
import os, pathlib
from trifocal.feedback.sqlite_store import SqliteEventStore
from trifocal.ports import StoredEvent
store = SqliteEventStore(pathlib.Path({str(path)!r}))
store.append([StoredEvent("e1", "ann", "shoe", "click", 1.0)])
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    with closing(SqliteEventStore(path)) as store:
        assert [event.item_id for event in store.newest("ann", 5)] == ["shoe"]


def test_commits_reach_the_disk_before_they_return(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store, store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        # 2 is FULL.
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_user_is_found_through_the_index(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        store.append([stored_event(1)])
    with closing(sqlite3.connect(path)) as connection:
        question = "EXPLAIN QUERY PLAN SELECT * FROM events WHERE user_id = ? ORDER BY timestamp_s DESC, sequence DESC"
        plan = str(connection.execute(question, ("ann",)).fetchall())
    assert "events_by_user" in plan
    assert "TEMP B-TREE" not in plan


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(ArtifactError, match=r"notes.txt cannot serve as event store \(file is not a database\)"):
        SqliteEventStore(path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="unable to open database file"):
        SqliteEventStore(tmp_path / "nowhere" / "events.sqlite")
