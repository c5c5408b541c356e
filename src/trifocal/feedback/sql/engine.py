"""An address -> an engine of SQLAlchemy whose commits are on the disk when they return.

An address is a path, `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. No message shows a password.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from trifocal.errors import ConfigError

try:
    from sqlalchemy import Engine, create_engine, event, make_url
    from sqlalchemy.engine import URL
    from sqlalchemy.exc import ArgumentError
except ImportError as missing:
    raise ConfigError(f"the event store needs the package {missing.name}: pip install 'trifocal[serve]'") from None

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["is_postgres", "new_engine", "shown_address", "sqlite_path"]

# A writer waits this long for another one to finish its transaction.
BUSY_TIMEOUT_S = 30
_CONNECT_TIMEOUT_S = 10
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
_REPAIR = "give a path, sqlite:///PATH, or postgresql://USER:PASSWORD@HOST/DATABASE"


def new_engine(address: str | Path) -> Engine:
    """Return the engine of `address`; nothing is opened yet.

    Raises:
        ConfigError: when the address is of another kind, or PostgreSQL's driver is not installed.
    """
    url = _url(address)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _make_durable)
        return engine
    if importlib.util.find_spec("psycopg") is None:
        raise ConfigError("an event store in PostgreSQL needs the package psycopg: pip install 'trifocal[postgres]'")
    known = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_TIMEOUT_S}
    # A connection that died with its server is replaced before it is used. Where a lock orders the writers, each
    # statement has to see what the one before committed.
    return create_engine(url, connect_args=known, pool_pre_ping=True, isolation_level="READ COMMITTED")


def is_postgres(engine: Engine) -> bool:
    """Return whether `engine` leads to a PostgreSQL server."""
    return engine.dialect.name == "postgresql"


def sqlite_path(address: str | Path) -> Path | None:
    """Return the file of `address`, or None where it is a server.

    >>> sqlite_path("events.sqlite"), sqlite_path("sqlite:////data/events.sqlite"), sqlite_path("postgresql://host/shop")
    (PosixPath('events.sqlite'), PosixPath('/data/events.sqlite'), None)
    """
    url = _url(address)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def shown_address(address: str | Path) -> str:
    """Return `address` as it may be printed, without its password.

    >>> shown_address("postgresql://shop:secret@db/events")
    'postgresql://shop:***@db/events'
    """
    url = _url(address)
    return url.database or "" if url.get_backend_name() == "sqlite" else _without_password(url)


def _without_password(url: URL) -> str:
    # libpq takes a password among the options as well.
    hidden = url.update_query_dict({"password": "***"}) if "password" in url.query else url
    return hidden.set(drivername="postgresql").render_as_string(hide_password=True)


def _url(address: str | Path) -> URL:
    if isinstance(address, Path) or "://" not in address:
        if not str(address).strip() or str(address) == ".":
            raise ConfigError(f"the address of the event store is empty; {_REPAIR}")
        return URL.create("sqlite", database=str(address))
    kind = address.partition("://")[0]
    try:
        url = make_url(address)
    # What comes after the kind may hold a password: it stays out of the message, with the error that quotes it.
    except (ArgumentError, ValueError):
        raise ConfigError(f"the address {kind}://... of the event store cannot be read; {_REPAIR}") from None
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return url
    if kind in _POSTGRES:
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(f"an event store cannot be at {kind}://...; {_REPAIR}")


def _make_durable(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Set a new connection to SQLite so that what was committed survives a power cut."""
    cursor = connection.cursor()
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON"):
        cursor.execute(statement)
    cursor.close()
