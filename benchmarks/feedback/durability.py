"""Part `durability`: what the event store keeps when its writer or its server is killed, and how fast it is."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.feedback.event_writer import BATCH, batch_of
from benchmarks.feedback.kills import Outcome, killed_servers, killed_writers
from benchmarks.feedback.plan import Setting
from benchmarks.feedback.postgres_server import RealPostgres
from benchmarks.table.figures import Goal, Measured
from benchmarks.table.store import stored_or

from trifocal.feedback.sql import SqlEventStore

__all__ = ["GOALS", "SIZES", "measure"]

SIZES = ("kills", "kill_events", "rate_events")
_KILLED = ("SQLite", "PostgreSQL", "PostgreSQL killed")
_RATE = "events a second acknowledged, {}"
GOALS = (
    *(
        Goal(f"{what}, {which}", "events", 0.0)
        for which in _KILLED
        for what in ("acknowledged events lost", "events doubled")
    ),
    Goal(_RATE.format("SQLite"), "events/s", 3000.0, "at least"),
)


def measure(setting: Setting) -> Measured:
    """Measure each database that is not stored yet."""
    folder = setting.out / "durability"
    key = setting.key(SIZES)
    sqlite = stored_or(folder / "sqlite.json", key, partial(_sqlite, setting), force=setting.force)
    print("durability: SQLite", flush=True)
    postgres = stored_or(folder / "postgres.json", key, partial(_postgres, setting), force=setting.force)
    print("durability: PostgreSQL", flush=True)
    return Measured(
        {**sqlite.values, **postgres.values},
        {**sqlite.notes, **postgres.notes},
        {**sqlite.units, **postgres.units},
        {**sqlite.detail, **postgres.detail},
    )


def _sqlite(setting: Setting) -> Measured:
    sizes = setting.sizes
    # On the disk that the results are on: a folder for temporary files may be memory.
    setting.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=setting.out) as folder:
        killed = killed_writers(str(Path(folder) / "killed.sqlite"), sizes.kills, sizes.kill_events)
        rate = _rate(str(Path(folder) / "rate.sqlite"), sizes.rate_events)
    return _measured({"SQLite": killed}, "SQLite", rate)


def _postgres(setting: Setting) -> Measured:
    sizes = setting.sizes
    with closing(RealPostgres()) as server:
        outcomes = {
            "PostgreSQL": killed_writers(server.new_database("writers"), sizes.kills, sizes.kill_events),
            "PostgreSQL killed": killed_servers(server, server.new_database("servers"), sizes.kills),
        }
        rate = _rate(server.new_database("rate"), sizes.rate_events)
    return _measured(outcomes, "PostgreSQL", rate)


def _measured(outcomes: dict[str, Outcome], rated: str, rate: float) -> Measured:
    values, notes = {_RATE.format(rated): rate}, {_RATE.format(rated): f"batches of {BATCH}, one writer"}
    for name, outcome in outcomes.items():
        lost, doubled = f"acknowledged events lost, {name}", f"events doubled, {name}"
        values[lost], values[doubled] = outcome.lost, outcome.doubled
        notes[lost] = f"{outcome.kills} kills, {outcome.acknowledged:,} events acknowledged"
    return Measured(values, notes, {_RATE.format(rated): "events/s"}, {name: asdict(o) for name, o in outcomes.items()})


def _rate(address: str, events: int) -> float:
    """Return how many events a second one writer gets acknowledged."""
    batches = [batch_of(first) for first in range(0, events, BATCH)]
    with closing(SqlEventStore(address)) as store:
        start = time.perf_counter()
        for batch in batches:
            store.append(batch)
        return events / (time.perf_counter() - start)
