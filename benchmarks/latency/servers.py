"""Starts a service in a process of its own, waits until it is ready, reads its memory, stops it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.latency.http_client import loopback_target
from benchmarks.latency.plan import ROOT

from trifocal.errors import ServingError
from trifocal.serve.models import SERVING_FOLDER

__all__ = [
    "THREADS",
    "Memory",
    "Server",
    "als_server",
    "post_json",
    "process_memory",
    "settle",
    "started",
    "trifocal_command",
    "trifocal_server",
]

# Requests that the rival computes at a time: as many as Trifocal's settings say by default.
THREADS = 2
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_START_LIMIT_S = 600.0
_STOP_LIMIT_S = 20.0
_POLL_S = 0.05
_ASK_LIMIT_S = 5.0


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process and its children, in MiB.

    Attributes:
        rss_mib: now.
        peak_mib: the most so far.
        mapped_mib: of what it has now, pages of mapped files, which the system can take back at any time.
    """

    rss_mib: float
    peak_mib: float
    mapped_mib: float


@dataclass(frozen=True)
class Server:
    """A service that answers.

    Attributes:
        address: such as `http://127.0.0.1:41234`.
        pid: of its process.
        start_s: seconds from the start of the process until it was ready.
    """

    address: str
    pid: int
    start_s: float

    def memory(self) -> Memory:
        """Return what it takes."""
        return process_memory(self.pid)


@contextmanager
def trifocal_server(bundle: Path, log: Path, *, events: Path | None = None) -> Iterator[Server]:
    """Serve `bundle` with Trifocal while the block runs."""
    command = trifocal_command(bundle)
    command += [] if events is None else ["--events", str(events)]
    with started(command, log) as server:
        yield server


def trifocal_command(bundle: Path) -> list[str]:
    """Return the command that serves `bundle` on any free port."""
    return [sys.executable, "-m", "trifocal.cli", "serve", str(bundle), "--port", "0"]


def settle(bundle: Path, log: Path) -> None:
    """Start Trifocal once where `bundle` was never served: index and exported networks are made then.

    What that takes is the first start's own; it would stand in the memory of the first round alone.
    """
    if not (bundle / SERVING_FOLDER).exists():
        with trifocal_server(bundle, log):
            pass


@contextmanager
def als_server(folder: Path, log: Path) -> Iterator[Server]:
    """Serve the rival while the block runs."""
    command = [sys.executable, "-m", "benchmarks.latency.als_service", str(folder), "--threads", str(THREADS)]
    with started(command, log) as server:
        yield server


@contextmanager
def started(command: Sequence[str], log: Path, *, limit_s: float = _START_LIMIT_S) -> Iterator[Server]:
    """Run `command`, which prints its address, until it says that it is ready; stop it after the block.

    Raises:
        ServingError: when it ends or is not ready in time; its log then says why.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    environment = {**os.environ, **_ONE_THREAD, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT, env=environment)
        try:
            address = _address(process, log, begun + limit_s)
            yield Server(address, process.pid, time.perf_counter() - begun)
        finally:
            _stop(process)


def post_json(address: str, path: str, body: object, *, method: str = "POST") -> tuple[int, dict[str, object]]:
    """Return status and JSON answer of one request, outside of any measurement."""
    loopback_target(address)
    request = urllib.request.Request(  # noqa: S310  # loopback, checked above
        address + path, json.dumps(body).encode(), {"content-type": "application/json"}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, _object(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, _object(error.read())


def process_memory(pid: int) -> Memory:
    """Return the memory of the process and of all its children."""
    found = [_own_memory(one) for one in (pid, *_descendants(pid))]
    return Memory(
        sum(memory.rss_mib for memory in found),
        sum(memory.peak_mib for memory in found),
        sum(memory.mapped_mib for memory in found),
    )


def _own_memory(pid: int) -> Memory:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    # A child that has just ended has none of these lines.
    found = [re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE) for name in ("VmRSS", "VmHWM", "RssFile")]
    rss, peak, mapped = (0.0 if match is None else int(match[1]) / 1024 for match in found)
    return Memory(rss, peak, mapped)


def _descendants(pid: int) -> list[int]:
    children = [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()]
    return children + [grandchild for child in children for grandchild in _descendants(child)]


def _address(process: subprocess.Popen[bytes], log: Path, until: float) -> str:
    while time.perf_counter() < until and process.poll() is None:
        found = _ADDRESS.search(log.read_text(encoding="utf-8"))
        if found is not None and _is_ready(found[0]):
            return found[0]
        time.sleep(_POLL_S)
    how = "was not ready in time" if process.poll() is None else f"ended with exit code {process.returncode}"
    raise ServingError(f"{' '.join(map(str, process.args))} {how}; {log} says: {log.read_text()[-500:]}")  # type: ignore[arg-type]


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=_ASK_LIMIT_S) as answer:  # noqa: S310
            return int(answer.status) == 200
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _object(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except ValueError:
        return {"text": content.decode(errors="replace")}
    return found if isinstance(found, dict) else {"answer": found}
