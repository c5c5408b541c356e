"""Kills a writer, or the server under it, at random moments; counts what is missing and what is there twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from benchmarks.feedback.event_writer import BATCH, event_id
from benchmarks.feedback.postgres_server import RealPostgres

from trifocal.feedback.sql import SqlEventStore

__all__ = ["Outcome", "killed_servers", "killed_writers", "outcome_of"]

# A kill comes so many seconds after the first acknowledgement at the latest.
_MOMENT_S = 0.3
_PAGE = 10_000
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What was found after the last kill.

    Attributes:
        kills: how many there were.
        acknowledged: events that the writers were told are stored.
        lost: of these, how many are not there.
        doubled: events that are there more than once.
        unacknowledged: events that are there although nobody was told.
    """

    kills: int
    acknowledged: int
    lost: int
    doubled: int
    unacknowledged: int


def killed_writers(address: str, kills: int, events: int, seed: int = 0) -> Outcome:
    """Return what is in the store at `address`, empty before, after `kills` writers were killed with SIGKILL.

    Each goes on where the acknowledgements of the one before end, and so sends the batch in doubt again.

    Args:
        address: of the store.
        kills: a writer that ended by itself before its kill does not count.
        events: that each writes where it is left alone.
        seed: of the moments.
    """
    moments, done, acknowledged = random.Random(seed), 0, 0
    while done < kills:
        with _writer(address, acknowledged, acknowledged + events) as (process, output):
            _wait_for_line(process, output)
            time.sleep(moments.uniform(0, _MOMENT_S))
            process.kill()
            done += process.wait() < 0
        acknowledged = _acknowledged(output, acknowledged)
        output.close()
    return outcome_of(address, done, acknowledged)


def killed_servers(server: RealPostgres, address: str, kills: int, seed: int = 0) -> Outcome:
    """Return what is in the store after `server` was killed with SIGKILL and started again `kills` times.

    One writer runs all the time, and sends again what failed.
    """
    moments = random.Random(seed)
    with _writer(address, 0, sys.maxsize) as (process, output):
        _wait_for_line(process, output)
        for _ in range(kills):
            time.sleep(moments.uniform(0, _MOMENT_S))
            server.kill()
            server.restart()
            _wait_for_line(process, output)
        process.kill()
        process.wait()
    acknowledged = _acknowledged(output, 0)
    output.close()
    return outcome_of(address, kills, acknowledged)


def outcome_of(address: str, kills: int, acknowledged: int) -> Outcome:
    """Return what the store at `address` holds of the first `acknowledged` events of the writers."""
    found: Counter[str] = Counter()
    with closing(SqlEventStore(address)) as store:
        last = 0
        while page := store.after(last, _PAGE):
            found.update(event.event_id for _, event in page)
            last = page[-1][0]
    wanted = {event_id(number) for number in range(acknowledged)}
    return Outcome(
        kills=kills,
        acknowledged=acknowledged,
        lost=len(wanted - found.keys()),
        doubled=sum(count > 1 for count in found.values()),
        unacknowledged=len(found.keys() - wanted),
    )


@contextmanager
def _writer(address: str, first: int, count: int) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A writer and the file of its acknowledgements, which never makes it wait as a pipe would."""
    output = TemporaryFile()  # noqa: SIM115 - read after the writer is dead
    command = [sys.executable, "-m", "benchmarks.feedback.event_writer", address, str(first), str(count)]
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, cwd=_ROOT)
    try:
        yield process, output
    finally:
        process.kill()
        process.wait()


def _wait_for_line(process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
    """Wait until the writer says something more."""
    before = _size(output)
    end = time.monotonic() + 60
    while _size(output) == before and process.poll() is None:
        if time.monotonic() > end:
            raise TimeoutError("the writer stores nothing for 60 s")
        time.sleep(0.002)


def _size(output: IO[bytes]) -> int:
    return Path(f"/proc/self/fd/{output.fileno()}").stat().st_size


def _acknowledged(output: IO[bytes], before: int) -> int:
    """Return the number in the last whole line of `output`, `before` where there is none."""
    output.seek(0)
    whole = [int(line) for line in output.read().split(b"\n")[:-1]]
    if whole and whole[-1] != before + BATCH * len(whole):
        raise ValueError(f"the acknowledgements end at {whole[-1]}, but {len(whole)} batches followed {before}")
    return whole[-1] if whole else before
