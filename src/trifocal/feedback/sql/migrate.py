"""An address -> an engine whose tables are up to date. Alembic walks the steps in `migrations/versions`.

Several processes may open a store at once: one migrates, the others wait. All steps are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from trifocal.errors import ArtifactError, ConfigError
from trifocal.feedback.sql.engine import is_postgres, new_engine, shown_address

try:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory
except ImportError as missing:
    raise ConfigError(f"the event store needs the package {missing.name}: pip install 'trifocal[serve]'") from None

__all__ = ["HEAD", "migrated", "open_store", "schema_version"]

_STEPS = Path(__file__).parent / "migrations"
# The step that this code needs; a test compares it with the newest file.
HEAD = "0003"
_VERSIONS = "alembic_version"
# Any number that no other program locks: the first eight letters of "trifocal".
_MIGRATION_LOCK = int.from_bytes(b"trifocal", "big") - 1


def open_store(address: str | Path, what: str = "event store") -> Engine:
    """Return the engine of `address`, its tables made or brought up to date.

    Args:
        address: a path or an address, as `new_engine` takes it.
        what: the store's name in an error.

    Raises:
        ConfigError: when the address is of another kind, or a package is missing.
        ArtifactError: when it cannot be opened, is no such database, or is of a later version.
    """
    return _opened(address, what)[0]


def migrated(address: str | Path) -> tuple[str | None, str]:
    """Bring the tables of `address` up to date; return the steps before and after. Errors as of `open_store`."""
    engine, before = _opened(address, "event store")
    engine.dispose()
    return before, HEAD


def _opened(address: str | Path, what: str) -> tuple[Engine, str | None]:
    engine = new_engine(address)
    try:
        before = schema_version(engine)
        if before != HEAD:
            _upgrade(engine, shown_address(address))
    except DBAPIError as error:
        engine.dispose()
        raise ArtifactError(
            f"{shown_address(address)} cannot serve as {what} ({_reason(error)}); {_repair(engine)}"
        ) from None
    except ArtifactError:
        engine.dispose()
        raise
    return engine, before


def schema_version(engine: Engine) -> str | None:
    """Return the step that the tables are at, None where no step was made."""
    with engine.connect() as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if _VERSIONS not in inspect(connection).get_table_names():
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar()  # noqa: S608 - a constant


def _upgrade(engine: Engine, shown: str) -> None:
    script = ScriptDirectory(str(_STEPS))
    with _alone(engine) as connection:
        # Another process may have been here while this one waited.
        version = _version(connection)
        if version is not None and version > HEAD:
            raise ArtifactError(
                f"{shown} has tables of step {version}, this version knows up to {HEAD}; install a newer Trifocal"
            )

        def steps(revision: Any, _context: object) -> Any:
            return script._upgrade_revs("head", revision)

        context = MigrationContext.configure(connection, opts={"fn": steps})
        with Operations.context(context):
            context.run_migrations()
        connection.commit()


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that no other process migrates beside; undone where it is not committed."""
    with engine.connect() as connection:
        if is_postgres(engine):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        else:
            # The driver opens no transaction of its own before DDL: this one does it, and takes the write lock at once.
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def _reason(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


def _repair(engine: Engine) -> str:
    if is_postgres(engine):
        return "check that the server runs, and host, database, user and password of the address"
    return "name a file of SQLite in a folder that is writable"
