"""`trifocal events`: look after the store of live events, export it, fill it from a stream."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from trifocal.feedback.sql import SqlEventStore, SqlItemStore

__all__ = ["app"]

_Store = Annotated[
    str, typer.Argument(metavar="STORE", help="A file of SQLite, or postgresql://USER:PASSWORD@HOST/DATABASE.")
]

app = typer.Typer(
    no_args_is_help=True,
    help="Look after the store of live events: count, export, prune, migrate, fill it from a stream.",
    rich_markup_mode="markdown",
)


@app.command()
def count(store: _Store) -> None:
    """Say how many events the store holds.

    **Example**

    - `trifocal events count events.sqlite`
    """
    with _opened(store) as events:
        Console(soft_wrap=True).print(f"{events.count():,} events")


@app.command()
def export(
    store: _Store,
    out: Annotated[Path, typer.Argument(help="Parquet file, or folder that gets an events.parquet.")],
) -> None:
    """Write the events to one Parquet file that `trifocal data import` reads, without those of forgotten users.

    **Examples**

    - `trifocal events export events.sqlite live/events.parquet`

    - `trifocal events export postgresql://shop@db/shop live`: beside the items there, `live` can be imported
    """
    from trifocal.feedback.export import stored_events, write_events

    with _opened(store) as events, _items(store) as items:
        found = stored_events(events, items.forgotten_users())
    path = write_events(found, out)
    Console(soft_wrap=True).print(f"{len(found):,} events -> {path}")


@app.command()
def prune(
    store: _Store,
    days: Annotated[float, typer.Option(min=0, help="Events that are older go; 0 = all up to now.")],
) -> None:
    """Delete old events; a running server may go on writing.

    **Example**

    - `trifocal events prune events.sqlite --days 400`
    """
    with _opened(store) as events:
        gone = events.prune(time.time() - days * 86_400)
        Console(soft_wrap=True).print(f"{gone:,} events deleted, {events.count():,} left")


@app.command()
def migrate(store: _Store) -> None:
    """Bring the tables of an older version up to date; every other command does so as well when it opens the store.

    **Example**

    - `trifocal events migrate events.sqlite`
    """
    from trifocal.feedback.sql import migrated

    _require(store)
    before, after = migrated(store)
    same = before == after
    Console(soft_wrap=True).print(f"step {after}, nothing to do" if same else f"step {before or 'none'} -> {after}")


@app.command()
def consume(
    store: _Store,
    stream: Annotated[str, typer.Option(help="Redis or Valkey server: redis://USER:PASSWORD@HOST:PORT/DATABASE.")],
    key: Annotated[
        str, typer.Option(help="Key of the stream; what cannot be used goes to KEY:rejects.")
    ] = "trifocal:events",
    group: Annotated[str, typer.Option(help="Consumer group: one a store.")] = "trifocal",
    name: Annotated[
        str | None, typer.Option(help="This consumer, the same after a restart; default: the machine.")
    ] = None,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="Stop where nothing comes for a second.")] = False,
) -> None:
    """Store the events of a Redis stream until stopped; the field `json` of a message is one of `POST /v1/events`.

    **Example**

    - `trifocal events consume events.sqlite --stream redis://localhost:6379`
    """
    from trifocal.feedback.consume import consume as consume_events
    from trifocal.feedback.streams import RedisStream

    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # The batch that is in work is stored and acknowledged before it ends.
        signal.signal(number, lambda number, _frame: stopped.append(number))
    with _opened(store, new=True) as events, _items(store) as items:
        source = RedisStream(stream, stream=key, group=group, name=name)
        try:
            done = consume_events(
                source,
                events,
                forgotten=items.forgotten_users,
                is_over=lambda batch: bool(stopped) or (until_empty and not batch.events),
            )
        finally:
            source.close()
    Console(soft_wrap=True).print(
        f"{done.stored:,} events stored, {done.known:,} known already, {done.forgotten:,} of forgotten users, "
        f"{source.rejected:,} messages rejected"
    )


def _opened(store: str, *, new: bool = False) -> closing[SqlEventStore]:
    from trifocal.feedback.sql import SqlEventStore

    if not new:
        _require(store)
    return closing(SqlEventStore(store))


def _items(store: str) -> closing[SqlItemStore]:
    from trifocal.feedback.sql import SqlItemStore

    return closing(SqlItemStore(store))


def _require(store: str) -> None:
    """Refuse a file that is not there: opening would make it."""
    from trifocal.errors import ArtifactError
    from trifocal.feedback.sql import sqlite_path

    path = sqlite_path(store)
    if path is not None and not path.is_file():
        raise ArtifactError(f"there is no event store at {path}; name the file that `trifocal serve --events` wrote")
