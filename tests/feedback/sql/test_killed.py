"""Writers and servers that are killed with SIGKILL while they write at full rate."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.feedback.kills import killed_servers, killed_writers, outcome_of
from benchmarks.feedback.postgres_server import RealPostgres
from tests.contracts.event_store import stored_event

from trifocal.feedback.sql import SqlEventStore


def test_a_killed_writer_to_sqlite_loses_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = killed_writers(str(tmp_path / "events.sqlite"), kills=3, events=100_000)
    assert (outcome.kills, outcome.lost, outcome.doubled) == (3, 0, 0)
    assert outcome.acknowledged >= 300


def test_a_killed_writer_to_postgres_loses_and_doubles_nothing(new_database: Callable[[], str]) -> None:
    outcome = killed_writers(new_database(), kills=3, events=100_000)
    assert (outcome.kills, outcome.lost, outcome.doubled) == (3, 0, 0)
    assert outcome.acknowledged >= 300


def test_a_killed_postgres_loses_and_doubles_nothing(postgres: RealPostgres) -> None:
    # A server of its own, which waits for the disk.
    with closing(RealPostgres()) as server:
        outcome = killed_servers(server, server.new_database("events"), kills=1)
    assert (outcome.kills, outcome.lost, outcome.doubled) == (1, 0, 0)
    assert outcome.acknowledged >= 200


def test_what_is_lost_is_found(tmp_path: Path) -> None:
    path = str(tmp_path / "events.sqlite")
    with closing(SqlEventStore(path)) as store:
        store.append([stored_event(7)])
    outcome = outcome_of(path, kills=1, acknowledged=3)
    assert (outcome.lost, outcome.doubled, outcome.unacknowledged) == (3, 0, 1)
