"""The load generator: a bounded number of requests over kept-alive connections, in a process of its own.

    python -m benchmarks.latency.load PLAN.json

A closed loop has C clients, each of which asks again as soon as it is answered. An open loop sends at a given rate
whatever the answers do; its latencies count from when a request was due, so that waiting for a connection is seen.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from benchmarks.latency.http_client import Connection, loopback_target, request_bytes
from benchmarks.latency.plan import ROOT

from trifocal.errors import ConfigError, ServingError

__all__ = ["Ask", "LoadPlan", "LoadResult", "run_load", "send_load"]

_MOST_REQUESTS = 2_000_000
_MOST_CONNECTIONS = 1024
# What stands for the status where no answer came.
_NO_ANSWER = "no answer"
_RUNG = re.compile(rb'"rung": ?"([^"]*)"')


@dataclass(frozen=True)
class Ask:
    """One request; `kind` names what it is counted as."""

    kind: str
    method: str
    path: str
    body: str = ""


@dataclass(frozen=True)
class LoadPlan:
    """What is sent where.

    Attributes:
        address: of a server on this machine.
        asks: sent in turn, and again from the first where `count` is more.
        count: requests at most.
        connections: clients of a closed loop; connections at most of an open one.
        rate: requests a second of an open loop; 0 = closed loop.
        seconds: after which nothing new is sent; 0 = no limit.
    """

    address: str
    asks: Sequence[Ask]
    count: int
    connections: int = 1
    rate: float = 0.0
    seconds: float = 0.0

    def check(self) -> None:
        """Refuse what is too much, or meant for another machine.

        Raises:
            ConfigError: naming the value and the limit.
        """
        loopback_target(self.address)
        if not (self.asks and 1 <= self.count <= _MOST_REQUESTS):
            raise ConfigError(f"{self.count} requests of {len(self.asks)} asks; send 1 to {_MOST_REQUESTS:,}")
        if not 1 <= self.connections <= _MOST_CONNECTIONS:
            raise ConfigError(f"{self.connections} connections; open 1 to {_MOST_CONNECTIONS}")


@dataclass(frozen=True)
class LoadResult:
    """What came back.

    Attributes:
        seconds: from the first request to the last answer.
        latencies_ms: kind -> status -> milliseconds of each answer.
        rungs: rung that an answer names -> how many did.
    """

    seconds: float
    latencies_ms: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    rungs: dict[str, int] = field(default_factory=dict)

    def accepted(self, kind: str | None = None) -> list[float]:
        """Return the milliseconds of the answers of `kind` (None = all) that are successes."""
        kinds = self.latencies_ms if kind is None else {kind: self.latencies_ms.get(kind, {})}
        return [
            ms
            for statuses in kinds.values()
            for status, all_ms in statuses.items()
            if status[0] == "2"
            for ms in all_ms
        ]

    def statuses(self) -> dict[str, int]:
        """Return how many answers had each status."""
        counts: dict[str, int] = {}
        for statuses in self.latencies_ms.values():
            for status, all_ms in statuses.items():
                counts[status] = counts.get(status, 0) + len(all_ms)
        return counts

    def failed(self) -> int:
        """Return how many requests were not answered by a success."""
        return sum(count for status, count in self.statuses().items() if status[0] != "2")

    @property
    def throughput(self) -> float:
        """Successes a second."""
        return len(self.accepted()) / self.seconds

    def add(self, kind: str, status: str, milliseconds: float, body: bytes = b"") -> None:
        """Take one answer down."""
        self.latencies_ms.setdefault(kind, {}).setdefault(status, []).append(milliseconds)
        if rung := _RUNG.search(body):
            name = rung[1].decode()
            self.rungs[name] = self.rungs.get(name, 0) + 1


def run_load(plan: LoadPlan) -> LoadResult:
    """Send `plan` from a process of its own and return what came back.

    Raises:
        ConfigError: when the plan is refused.
        ServingError: when the process fails.
    """
    plan.check()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(asdict(plan)), encoding="utf-8")
        command = [sys.executable, "-m", "benchmarks.latency.load", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise ServingError(f"the load generator ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return LoadResult(**json.loads(done.stdout))


async def send_load(plan: LoadPlan) -> LoadResult:
    """Send `plan` from this process."""
    plan.check()
    target = loopback_target(plan.address)
    # Encoded once for each ask: what is measured is the server.
    ready = [(ask.kind, request_bytes(target, ask.method, ask.path, ask.body)) for ask in plan.asks]
    requests = islice(cycle(ready), plan.count)
    connections = [Connection(target) for _ in range(plan.connections)]
    result = LoadResult(0.0)
    started = perf_counter()
    if plan.rate:
        await _open_loop(plan, requests, connections, result)
    else:
        until = started + plan.seconds if plan.seconds else float("inf")
        await asyncio.gather(*(_closed_loop(connection, requests, until, result) for connection in connections))
    seconds = perf_counter() - started
    for connection in connections:
        connection.close()
    return LoadResult(seconds, result.latencies_ms, result.rungs)


async def _closed_loop(
    connection: Connection, requests: Iterator[tuple[str, bytes]], until: float, result: LoadResult
) -> None:
    for kind, request in requests:
        if perf_counter() >= until:
            return
        await _timed(connection, kind, request, perf_counter(), result)


async def _open_loop(
    plan: LoadPlan, requests: Iterator[tuple[str, bytes]], connections: list[Connection], result: LoadResult
) -> None:
    # Last in, first out: few connections are kept busy, the others wait for the rush.
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for connection in connections:
        free.put_nowait(connection)
    started, running = perf_counter(), set[asyncio.Task[None]]()
    for place, (kind, request) in enumerate(requests):
        due = started + place / plan.rate
        if plan.seconds and due - started > plan.seconds:
            break
        if (wait := due - perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(_when_free(free, kind, request, due, result))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)


async def _when_free(
    free: asyncio.LifoQueue[Connection], kind: str, request: bytes, due: float, result: LoadResult
) -> None:
    connection = await free.get()
    try:
        await _timed(connection, kind, request, due, result)
    finally:
        free.put_nowait(connection)


async def _timed(connection: Connection, kind: str, request: bytes, start: float, result: LoadResult) -> None:
    try:
        answer = await connection.ask(request)
        status, body = str(answer.status), answer.body
    except OSError:
        # Counted, not raised: a server that drops connections is a finding, not the end of the measurement.
        status, body = _NO_ANSWER, b""
    result.add(kind, status, (perf_counter() - start) * 1000, body)


def main() -> None:
    """Send the plan in the file that is named; print the result as JSON."""
    raw = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    plan = LoadPlan(**{**raw, "asks": [Ask(**ask) for ask in raw["asks"]]})
    try:
        import uvloop
    except ImportError:
        result = asyncio.run(send_load(plan))
    else:
        result = uvloop.run(send_load(plan))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
