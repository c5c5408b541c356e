from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from trifocal.errors import ArtifactError, ConfigError
from trifocal.feedback.sql import SqlEventStore, shown_address
from trifocal.feedback.sql.engine import new_engine, sqlite_path

SECRET = "postgresql://shop:hunter2@127.0.0.1:1/events"


@pytest.mark.parametrize("address", ["events.sqlite", Path("events.sqlite"), "sqlite:///events.sqlite"])
def test_a_path_is_a_file_of_sqlite(address: str | Path) -> None:
    assert new_engine(address).dialect.name == "sqlite"
    assert sqlite_path(address) == Path("events.sqlite")
    assert shown_address(address) == "events.sqlite"


@pytest.mark.parametrize("kind", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_is_reached_through_psycopg(kind: str) -> None:
    engine = new_engine(f"{kind}://shop@db/events")
    assert (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg")


def test_no_message_shows_the_password() -> None:
    assert shown_address(SECRET) == "postgresql://shop:***@127.0.0.1:1/events"
    assert "hunter2" not in shown_address("postgresql://db/events?user=shop&password=hunter2")
    with pytest.raises(ArtifactError, match="check that the server runs") as caught:
        SqlEventStore(SECRET)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"postgresql://\.\.\. of the event store cannot be read") as unread:
        SqlEventStore("postgresql://shop:hunter2@db:port/events")
    assert "hunter2" not in str(unread.value)


@pytest.mark.parametrize("address", ["mysql://host/shop", "sqlite://", "sqlite:///:memory:", "redis://host/0"])
def test_another_kind_of_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"an event store cannot be at .*; give a path"):
        new_engine(address)


def test_an_empty_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="the address of the event store is empty"):
        new_engine("  ")


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"needs the package psycopg: pip install 'trifocal\[postgres\]'"):
        new_engine("postgresql://db/events")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(ArtifactError, match=r"notes.txt cannot serve as event store \(file is not a database\)"):
        SqlEventStore(path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="unable to open database file"):
        SqlEventStore(tmp_path / "nowhere" / "events.sqlite")
