from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from redis import Redis
from tests.contracts.event_store import stored_event
from tests.serve.caches.valkey_server import RealValkey
from typer.testing import CliRunner

from trifocal.cli.app import app
from trifocal.errors import ArtifactError
from trifocal.feedback.sql import SqlEventStore, SqlItemStore


@pytest.fixture
def store(tmp_path: Path) -> str:
    path = tmp_path / "events.sqlite"
    with closing(SqlEventStore(path)) as events:
        events.append([stored_event(1), stored_event(2), stored_event(3, "ben")])
    return str(path)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["events", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output.strip()


def test_count(store: str) -> None:
    assert run("count", store) == "3 events"


def test_export_leaves_out_who_was_forgotten(store: str, tmp_path: Path) -> None:
    with closing(SqlItemStore(store)) as items:
        items.forget_user("ann", 1.0)
    assert run("export", store, str(tmp_path / "live")) == f"2 events -> {tmp_path / 'live' / 'events.parquet'}"
    assert pl.read_parquet(tmp_path / "live" / "events.parquet")["item_id"].to_list() == ["item2", "item3"]


def test_prune(store: str) -> None:
    assert run("prune", store, "--days", "1") == "3 events deleted, 0 left"


def test_migrate(store: str, tmp_path: Path) -> None:
    assert run("migrate", store) == "step 0003, nothing to do"
    old = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE forgotten_users (user_id VARCHAR NOT NULL PRIMARY KEY, at_s FLOAT NOT NULL)")
    assert run("migrate", str(old)) == "step none -> 0003"


@pytest.mark.parametrize("command", [("count",), ("export", "out"), ("prune", "--days", "1"), ("migrate",)])
def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(ArtifactError, match=r"there is no event store at .*none\.sqlite"):
        run(command[0], str(path), *command[1:])
    assert not path.exists()


def test_consume(store: str) -> None:
    server = RealValkey()
    try:
        with Redis.from_url(server.url) as client:
            for number in (3, 4, 5):
                body = {"event_id": f"e{number}", "user_id": "ann", "item_id": "shoe", "event": "click"}
                client.xadd("shop", {"json": json.dumps(body)})
            client.xadd("shop", {"json": "nonsense"})
        output = run("consume", store, "--stream", server.url, "--key", "shop", "--until-empty")
    finally:
        server.close()
    assert output == "2 events stored, 1 known already, 0 of forgotten users, 1 messages rejected"
    assert run("count", store) == "5 events"
