"""`trifocal update`: a served bundle and what came back -> the bundle that may follow it, once or again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["update"]

_HOUR_S = 3600
# How often a server is asked whether something drifts.
_LOOK_S = 60.0


@dataclass(frozen=True)
class _Plan:
    """What every round reads and where its result goes.

    Attributes:
        dataset: folder of the data set.
        bundle: where rounds begin, until one is promoted.
        out: of the rounds.
        events: address of the event store, or None.
        pictures: of live items, where the store is a server.
        config: settings, or None.
        cache: token features.
        place: folder that a promoted bundle is put into, or None.
        server: address of a server that swaps it in, or None.
        path: of `place` inside the server's folder of bundles.
        key: of an administrator, or None.
    """

    dataset: Path
    bundle: Path
    out: Path
    events: str | None
    pictures: Path | None
    config: Path | None
    cache: Path
    place: Path | None
    server: str | None
    path: str
    key: str | None

    @property
    def serving(self) -> Path:
        """The bundle that serves now."""
        placed = self.place is not None and (self.place / "manifest.json").is_file()
        return self.place if placed and self.place is not None else self.bundle


def update(
    dataset: Annotated[Path, typer.Argument(help="Data set folder, with or without the new events.")],
    bundle: Annotated[Path, typer.Argument(help="The bundle that serves, or the run that its trifocal/bundle is in.")],
    out: Annotated[Path, typer.Argument(help="Folder of the result; gone on with after a kill.")],
    events: Annotated[str | None, typer.Option(help="Event store of the server: its events and items join.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="Pictures of live items, where the store is a server.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML over the defaults, with [train] and [update].")] = None,
    cache: Annotated[Path | None, typer.Option(help="Token features; default: OUT/../features.")] = None,
    promote_to: Annotated[Path | None, typer.Option(help="Folder whose bundle is replaced, if not worse.")] = None,
    server: Annotated[str | None, typer.Option(help="Address of a server that then swaps to it.")] = None,
    server_path: Annotated[
        str | None, typer.Option(help="That folder as the server names it; default: its last part.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="TRIFOCAL_KEY", help="API key of an administrator.")] = None,
    every: Annotated[float | None, typer.Option(min=0.01, help="Hours between rounds; without it one round.")] = None,
    on_drift: Annotated[bool, typer.Option("--on-drift", help="A round whenever --server gives an alarm.")] = False,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 = all.")] = 0,
) -> None:
    """Learn on from new events and items; promote the result where it is not worse than what serves.

    The bundle and its report (`update.json`, `update.html`) are written either way. With `--every` or `--on-drift`
    each round has a folder of its own in OUT, named after its time, and the next one starts from what was promoted.

    Examples:

        trifocal update shop runs/models runs/update --config configs/shop.toml

        trifocal update shop runs/models runs/update --events events.sqlite --promote-to bundles/shop

        trifocal update shop runs/models runs/updates --promote-to bundles/shop --server http://shop:8000 --every 24
    """
    import torch
    from rich.console import Console

    from trifocal.errors import ConfigError
    from trifocal.train.distill import bundle_folder

    if server is not None and promote_to is None:
        raise ConfigError("--server was given without --promote-to; name the folder that the server swaps to")
    if on_drift and server is None:
        raise ConfigError("--on-drift was given without --server; name the server whose alarms are listened to")
    if threads:
        torch.set_num_threads(threads)
    path = server_path or ("" if promote_to is None else promote_to.name)
    plan = _Plan(
        dataset,
        bundle_folder(bundle),
        out,
        events,
        pictures,
        config,
        cache or out.parent / "features",
        promote_to,
        server,
        path,
        key,
    )
    console = Console(soft_wrap=True, highlight=False)
    if every is None and not on_drift:
        _round(plan, out, console)
        return
    _again_and_again(plan, console, every_s=None if every is None else every * _HOUR_S, on_drift=on_drift)


def _again_and_again(
    plan: _Plan,
    console: Console,
    *,
    every_s: float | None,
    on_drift: bool,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make rounds until stopped: when it is time, or when the server gave an alarm since the last one."""
    from trifocal.errors import DataError

    last_s = clock()
    while True:
        due = every_s is not None and clock() >= last_s + every_s
        if due or (on_drift and _drifts(plan, console, last_s)):
            last_s = clock()
            try:
                _round(plan, plan.out / f"{datetime.fromtimestamp(last_s, UTC):%Y%m%d-%H%M%S}", console)
            except DataError as error:
                # Nothing new is no reason to stop listening.
                console.print(f"no update: {error}", markup=False)
        wake_s = last_s + every_s if every_s is not None else clock() + _LOOK_S
        sleep(max(0.0, min(wake_s - clock(), _LOOK_S)))


def _drifts(plan: _Plan, console: Console, since_s: float) -> bool:
    from trifocal.cli.promotion import drift_since, read_health
    from trifocal.errors import ServingError

    try:
        signals = drift_since(read_health(plan.server or "", plan.key), since_s)
    except ServingError as error:
        # It may be starting anew.
        console.print(f"not asked: {error}", markup=False)
        return False
    if signals:
        console.print(f"alarm of {', '.join(signals)}")
    return bool(signals)


def _round(plan: _Plan, folder: Path, console: Console) -> None:
    from trifocal.bundle import read_bundle
    from trifocal.cli.live import with_live
    from trifocal.cli.promotion import put_in_place, swap_in
    from trifocal.cli.updating import run_update
    from trifocal.settings import load_settings
    from trifocal.train.update import Update

    settings, learned = load_settings(plan.config), with_live(plan.dataset, plan.events, plan.pictures)
    told = Update(
        read_bundle(plan.serving), learned.dataset, settings.train, settings.update, folder / "checkpoints", plan.cache,
        learned.recommended,
    )  # fmt: skip
    report = run_update(told, settings.evaluate, folder, forgotten=learned.forgotten).report
    console.print(f"{report.sentence}\nbundle: {folder / 'bundle'}\nreport: {folder / 'update.html'}", markup=False)
    if not report.verdict.promoted or plan.place is None:
        return
    put_in_place(folder / "bundle", plan.place)
    console.print(f"in place: {plan.place}", markup=False)
    if plan.server is not None:
        console.print(f"{plan.server} serves {swap_in(plan.server, plan.path, plan.key)}", markup=False)
