"""The load generator against a small application in another process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from benchmarks.latency.http_client import Connection, loopback_target, parse_head, request_bytes
from benchmarks.latency.load import Ask, LoadPlan, LoadResult, run_load, send_load
from benchmarks.latency.servers import Server, post_json, started

from trifocal.errors import ConfigError, ServingError

ECHO = Ask("echo", "POST", "/echo", json.dumps({"word": "é"}))
BUSY = Ask("busy", "POST", "/busy")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("logs") / "app.log"
    with started([sys.executable, "-m", "tests.benchmarks_latency.small_app"], log, limit_s=60) as running:
        yield running


@pytest.mark.parametrize(
    "address",
    ["http://example.org:80", "http://192.168.1.2:80", "http://8.8.8.8", "https://127.0.0.1:443", "127.0.0.1:80", ""],
)
def test_load_is_sent_to_this_machine_alone(address: str) -> None:
    with pytest.raises(ConfigError, match="sent to this machine alone"):
        run_load(LoadPlan(address, [ECHO], 1))
    with pytest.raises(ConfigError, match="sent to this machine alone"):
        post_json(address, "/", {})


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:80", "http://[::1]:80", "http://localhost:80", "http://127.9.9.9:80"]
)
def test_this_machine_has_several_names(address: str) -> None:
    assert loopback_target(address).port == 80


def test_what_is_too_much_is_refused() -> None:
    with pytest.raises(ConfigError, match="3000000 requests"):
        run_load(LoadPlan("http://127.0.0.1:1", [ECHO], 3_000_000))
    with pytest.raises(ConfigError, match="5000 connections"):
        run_load(LoadPlan("http://127.0.0.1:1", [ECHO], 1, 5_000))


def test_a_head_in_chunks_is_refused() -> None:
    with pytest.raises(ServingError, match="chunks"):
        parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_a_closed_loop_in_its_own_process_counts_every_answer(server: Server) -> None:
    result = run_load(LoadPlan(server.address, [ECHO, ECHO, BUSY], 60, connections=4))
    assert result.statuses() == {"200": 40, "429": 20}
    assert (len(result.accepted()), len(result.accepted("busy")), result.failed()) == (40, 0, 20)
    assert 0 < median(result.accepted("echo")) < 1000 * result.seconds
    assert result.throughput == pytest.approx(40 / result.seconds)


def test_an_open_loop_keeps_its_rate(server: Server) -> None:
    # 100 a second: the last of 30 is due after 0.29 s.
    result = asyncio.run(send_load(LoadPlan(server.address, [ECHO], 30, connections=8, rate=100.0)))
    assert result.statuses() == {"200": 30}
    assert result.seconds >= 0.29


def test_a_loop_ends_after_its_seconds(server: Server) -> None:
    result = asyncio.run(send_load(LoadPlan(server.address, [ECHO], 1_000_000, connections=2, seconds=0.2)))
    assert 0.2 <= result.seconds < 2
    assert result.failed() == 0


def test_a_server_that_is_not_there_is_counted() -> None:
    result = asyncio.run(send_load(LoadPlan("http://127.0.0.1:1", [ECHO], 3)))
    assert result.statuses() == {"no answer": 3}
    assert result.failed() == 3


def test_a_connection_that_the_server_closes_is_opened_again(server: Server) -> None:
    async def twice() -> list[bytes]:
        target = loopback_target(server.address)
        connection = Connection(target)
        answers = [await connection.ask(request_bytes(target, "POST", "/closes")) for _ in range(2)]
        connection.close()
        return [answer.body for answer in answers]

    assert asyncio.run(twice()) == [b"bye", b"bye"]


def test_memory_of_a_running_server_is_read(server: Server) -> None:
    memory = server.memory()
    assert 1 < memory.rss_mib <= memory.peak_mib


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no bundle here')"]
    with pytest.raises(ServingError, match=r"exit code 1.*no bundle here"), started(command, tmp_path / "log"):
        pass


def test_latencies_are_kept_by_kind_and_status() -> None:
    result = LoadResult(2.0)
    for kind, status, milliseconds in (("a", "200", 1.0), ("a", "429", 2.0), ("b", "201", 3.0)):
        result.add(kind, status, milliseconds, b'{"items":[],"rung":"full","k":1}' if kind == "a" else b"[]")
    assert result.rungs == {"full": 2}
    assert result.accepted() == [1.0, 3.0]
    assert result.throughput == 1.0
