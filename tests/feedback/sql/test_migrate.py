from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from tests.contracts.event_store import stored_event

import trifocal.feedback.sql.migrate as migrate_module
from trifocal.errors import ArtifactError
from trifocal.feedback.sql import HEAD, SqlEventStore, SqlItemStore, open_store, schema_version
from trifocal.feedback.sql.tables import METADATA

# As the first version made them, before there were migrations.
FIRST = """
CREATE TABLE events (
    sequence INTEGER NOT NULL, event_id VARCHAR NOT NULL, user_id VARCHAR NOT NULL, item_id VARCHAR NOT NULL,
    event VARCHAR NOT NULL, timestamp_s FLOAT NOT NULL, session_id VARCHAR, device VARCHAR, country VARCHAR,
    dwell_ms INTEGER, position INTEGER, query VARCHAR, value FLOAT, PRIMARY KEY (sequence), UNIQUE (event_id)
);
CREATE INDEX events_by_user ON events (user_id, timestamp_s, sequence);
CREATE TABLE live_items (
    sequence INTEGER NOT NULL, item_id VARCHAR NOT NULL, item VARCHAR, features BLOB NOT NULL,
    model_version VARCHAR NOT NULL, PRIMARY KEY (sequence), UNIQUE (item_id)
);
CREATE TABLE forgotten_users (user_id VARCHAR NOT NULL, at_s FLOAT NOT NULL, PRIMARY KEY (user_id));
INSERT INTO events (sequence, event_id, user_id, item_id, event, timestamp_s)
    VALUES (4, 'e1', 'ann', 'item1', 'click', 1.0);
INSERT INTO live_items VALUES (1, 'lamp', NULL, x'00', 'v1');
INSERT INTO forgotten_users VALUES ('ben', 2.5);
"""
# As it was shortly before the migrations: the five columns were there.
LATER = FIRST + "".join(
    f"ALTER TABLE events ADD COLUMN {column};"
    for column in ("answer_id VARCHAR", "propensity FLOAT", "model_version VARCHAR", "variant VARCHAR", "rung VARCHAR")
)


def old_file(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
        connection.commit()
    return path


def test_the_code_needs_the_newest_step() -> None:
    script = ScriptDirectory(str(migrate_module._STEPS))
    assert script.get_heads() == [HEAD]


@pytest.mark.parametrize("script", [FIRST, LATER])
def test_a_file_from_before_migrations_is_upgraded(tmp_path: Path, script: str) -> None:
    path = old_file(tmp_path / "events.sqlite", script)
    with closing(SqlEventStore(path)) as events, closing(SqlItemStore(path)) as items:
        assert schema_version(events.engine) == HEAD
        assert events.after(0, 9) == [(4, stored_event(1))]
        assert events.append([stored_event(1), stored_event(2)]) == 1
        # Counts on from where the file was; a second event of an id may use up a number.
        assert [event for number, event in events.after(4, 9) if number > 4] == [stored_event(2)]
        assert [kept.item_id for kept in items.items()] == ["lamp"]
        assert items.forgotten_users() == {"ben": 2.5}


def test_an_upgrade_that_breaks_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    # Two tables of one name are what the last step meets: everything before it must go back as well.
    path = old_file(tmp_path / "events.sqlite", FIRST + "CREATE TABLE events_before (x INTEGER);")
    with pytest.raises(ArtifactError, match="already another table"):
        SqlEventStore(path)
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "rung" not in columns
    assert "alembic_version" not in names


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_steps_end_at_the_tables_of_the_code(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    new: Callable[[], str] = request.getfixturevalue("new_database") if kind == "postgres" else lambda: ""
    engine = open_store(new() or tmp_path / "events.sqlite")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_sqlite_counts_on_like_the_code_says(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    open_store(path).dispose()
    with closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'events'").fetchone()[0]
    assert "AUTOINCREMENT" in made


def test_tables_of_a_later_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    engine = open_store(path)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    engine.dispose()
    with pytest.raises(ArtifactError, match="tables of step 0999, this version knows up to 0003; install a newer"):
        open_store(path)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_that_start_at_once_migrate_once(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    new: Callable[[], str] = request.getfixturevalue("new_database") if kind == "postgres" else lambda: ""
    address = new() or str(old_file(tmp_path / "events.sqlite", FIRST))
    program = f"from trifocal.feedback.sql import open_store; open_store({address!r}).dispose()"
    started = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[1] for process in started] == ["", "", "", ""]
    engine = open_store(address)
    assert schema_version(engine) == HEAD
    engine.dispose()
