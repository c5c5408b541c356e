"""`trifocal serve`: answer requests over HTTP until stopped."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trifocal.errors import ConfigError, ServingError

if TYPE_CHECKING:
    from trifocal.ports import EventStore, ItemStore
    from trifocal.serve import ServeConfig, Service

__all__ = ["serve"]

# Requests that run when the stop comes get this long to end.
_STOP_TIMEOUT_S = 10
_SWITCH_S = 0.0005
# Longer ones do not fit above a column.
_NAME_MOST = 40


def serve(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, as `trifocal train` writes it.")],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 = all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 = any that is free.")] = 8000,
    images: Annotated[Path | None, typer.Option(help="Picture folder; default: where the bundle says.")] = None,
    events: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Where live events and items are kept: a file of SQLite, or postgresql://...; "
            "without it they are forgotten on exit.",
        ),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for the pictures of live items; default: beside the file of --events.")
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            help="Encoded texts and pictures, as `trifocal train` leaves them in its --cache, for explanations."
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with the section [serve].")] = None,
    compare_with: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=BUNDLE", help="Another bundle, shown beside this one on /compare; may be repeated."),
    ] = None,
) -> None:
    """Serve recommendations, similar items, search and the shop's pages from a bundle.

    The page is at `/`, the API at `/v1/...`, its description at `/docs`, metrics at `/metrics`. Ctrl-C stops it.

    Examples:

        trifocal serve runs/shop/trifocal/bundle

        trifocal serve runs/shop/trifocal/bundle --port 8080 --events events.sqlite

        trifocal serve runs/shop/trifocal/bundle --events postgresql://shop@db/shop --pictures pictures

        trifocal serve runs/shop/trifocal/bundle --compare-with "Text only=runs/shop/text/bundle"

        curl -s localhost:8000/v1/recommend -H 'content-type: application/json' -d '{"user_id": "user-00715", "k": 5}'
    """
    # First, because it says what to install where the server's packages are missing.
    from trifocal.serve.app import create_app  # isort: skip

    import torch
    import uvicorn
    from rich.console import Console

    from trifocal.bundle import read_bundle
    from trifocal.serve import build_service
    from trifocal.serve.caches import shared_caches
    from trifocal.serve.http_server import BoundedHttp, DrainingServer
    from trifocal.serve.keys import Keys
    from trifocal.serve.resident import few_heaps
    from trifocal.serve.retention import kept_for
    from trifocal.settings import load_settings

    console = Console(soft_wrap=True)
    settings = _beside(_with_notes(load_settings(config).serve, events), compare_with or [])
    if features is not None:
        settings = settings.model_copy(update={"explain_features": str(features)})
    keys = Keys.of(settings.access)
    # Before the model is loaded: a busy port is said at once.
    listener = listening_socket(host, port)
    with listener:
        torch.set_num_threads(1)
        few_heaps()
        # Two threads share Python's lock, one that reads and writes and one that computes: neither waits 5 ms for it.
        sys.setswitchinterval(_SWITCH_S)
        store, items, shared = _store(events), _items(events, pictures), shared_caches(settings.caches)

        def load(folder: Path) -> Service:
            return build_service(read_bundle(folder), store, image_root=images, config=settings, shared=shared)

        try:
            service = load(bundle)
            app = create_app(service, items=items, load=load)
            server = uvicorn.Config(
                app, http=BoundedHttp, log_level="warning", timeout_graceful_shutdown=_STOP_TIMEOUT_S
            )
            address = f"http://{host}:{listener.getsockname()[1]}"
            console.print(
                f"[bold]Serving {service.manifest.model_name} {service.manifest.model_version}[/] at {address}"
            )
            if events is None:
                console.print("[dim]live events and items are kept in memory; --events STORE keeps them[/]")
            console.print(_who_may_ask(len(keys)))
            _end_quietly()
            with kept_for(store, settings.retention_days):
                DrainingServer(server, drain=app.state.drain, drain_s=settings.drain_s).run(sockets=[listener])
        finally:
            store.close()
            items.close()
            shared.close()
    console.print("stopped")


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port`.

    Raises:
        ServingError: when the port is taken, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening at once: a second server that tries meanwhile is refused.
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ServingError(f"port {port} on {host} is taken; stop what uses it, or name another --port") from None
        raise ServingError(f"cannot listen on {host} port {port} ({error}); name another --host or --port") from None
    return listener


def _store(events: str | None) -> EventStore:
    if events is None:
        from trifocal.feedback import MemoryEventStore

        return MemoryEventStore()
    from trifocal.feedback.sql import SqlEventStore

    return SqlEventStore(events)


def _items(events: str | None, pictures: Path | None) -> ItemStore:
    if events is None:
        from trifocal.feedback import MemoryItemStore

        return MemoryItemStore()
    from trifocal.feedback.sql import SqlItemStore

    return SqlItemStore(events, pictures=pictures)


def _with_notes(settings: ServeConfig, events: str | None) -> ServeConfig:
    """Return `settings`, in which notes of bundles and of an experiment stand beside the file of the events."""
    if events is None:
        return settings
    from trifocal.feedback.sql.engine import sqlite_path

    path = sqlite_path(events)
    if path is None:
        return settings
    live, experiment = settings.live, settings.experiment
    if not live.history_file:
        live = live.model_copy(update={"history_file": str(path.with_name(f"{path.name}.bundles.json"))})
    if experiment.variants and not experiment.notes_file:
        notes = path.with_name(f"{path.name}.experiments.json")
        experiment = experiment.model_copy(update={"notes_file": str(notes)})
    return settings.model_copy(update={"live": live, "experiment": experiment})


def _beside(settings: ServeConfig, compare_with: list[str]) -> ServeConfig:
    """Return `settings` with the bundles of `compare_with`, each `name=folder`, behind those that they name.

    Raises:
        ConfigError: when one is no `name=folder`.
    """
    if not compare_with:
        return settings
    from trifocal.serve.storefront.config import ComparedConfig

    found = list(settings.storefront.compare_with)
    for pair in compare_with:
        name, sign, folder = pair.partition("=")
        if not (sign and 0 < len(name) <= _NAME_MOST and folder):
            raise ConfigError(
                f"--compare-with {pair!r} is no NAME=BUNDLE of at most {_NAME_MOST} characters a name; "
                "write it as 'Text only=runs/shop/text/bundle'"
            )
        found.append(ComparedConfig(name=name, bundle=folder))
    storefront = settings.storefront.model_copy(update={"compare_with": tuple(found)})
    return settings.model_copy(update={"storefront": storefront})


def _who_may_ask(keys: int) -> str:
    if keys:
        return f"[dim]{keys} API keys; whoever asks sends one[/]"
    return "[dim]open to everybody who can reach it; serve.access.keys closes it[/]"


def _end_quietly() -> None:
    # The server catches these, stops, and raises them again for whoever was there before: nobody minds.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
