"""The real process: start, answer, stop."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.bundle.small_bundle import small_contents

from trifocal.bundle import write_bundle
from trifocal.cli.serve import listening_socket
from trifocal.errors import ConfigError, ServingError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serve")
    write_bundle(small_contents(), folder / "bundle")
    return folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from trifocal.cli import main; main()", *arguments]


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    arguments = command("serve", str(folder / "bundle"), "--port", "0", "--events", str(folder / "events.sqlite"))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        yield process, found[0]
        process.kill()


def test_a_head_without_an_end_is_cut_off(server: tuple[subprocess.Popen[str], str]) -> None:
    host, port = server[1].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                connection.sendall(b"x" * 8192)
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(4096)
            assert answer == b"" or b"400 Bad Request" in answer
            assert connection.recv(4096) == b"" or b"65536 bytes" in answer
    assert httpx.get(f"{server[1]}/healthz", headers={"X-Long": "x" * 30_000}).status_code == 200


def test_it_answers_keeps_events_and_stops(server: tuple[subprocess.Popen[str], str]) -> None:
    process, address = server
    batch = {"events": [{"event_id": "e1", "user_id": "zoe", "item_id": "red-lamp", "event": "purchase"}]}
    assert httpx.post(f"{address}/v1/events", json=batch).json() == {"stored": 1, "ignored": 0}
    assert httpx.post(f"{address}/v1/events", json=batch).json() == {"stored": 0, "ignored": 1}
    answer = httpx.post(f"{address}/v1/recommend", json={"user_id": "zoe", "k": 2}).json()
    assert sorted(item["item_id"] for item in answer["items"]) == ["blue-lamp", "green-lamp"]
    assert "A shop that reads" in httpx.get(address).text
    process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    output, errors = process.communicate(timeout=20)
    assert time.monotonic() - start < 10
    assert process.returncode == 0
    assert "stopped" in output
    assert "Traceback" not in errors


def test_it_drains_before_it_stops(folder: Path) -> None:
    arguments = command("serve", str(folder / "bundle"), "--port", "0")
    environment = os.environ | {"TRIFOCAL_SERVE__DRAIN_S": "2", "TRIFOCAL_SERVE__ACCESS__KEYS": KEYS}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        address = found[0]
        _wait_until_ready(address)
        assert httpx.post(f"{address}/v1/recommend", json={}).status_code == 401
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        answer = httpx.get(f"{address}/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "draining")
        # What is sent all the same is answered.
        keyed = {"X-Api-Key": "key-of-the-tests"}
        assert httpx.post(f"{address}/v1/recommend", json={"k": 2}, headers=keyed).status_code == 200
        output, _ = process.communicate(timeout=20)
        assert 1.5 < time.monotonic() - start < 15
    assert process.returncode == 0
    assert "1 API keys; whoever asks sends one" in output
    assert "stopped" in output


KEYS = '[{"key": "key-of-the-tests"}]'


def _wait_until_ready(address: str) -> None:
    for _ in range(400):
        if httpx.get(f"{address}/readyz").status_code == 200:
            return
        time.sleep(0.05)
    pytest.fail("it does not get ready")


def test_a_busy_port_is_one_line(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command("serve", str(folder / "bundle"), "--port", port), capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"error: port {port} on 127.0.0.1 is taken; stop what uses it, or name another --port"
    )


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ServingError, match=r"cannot listen on 192.0.2.1 port 0"):
        listening_socket("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("package", "module", "who"),
    [
        ("fastapi", "trifocal.serve.app", "the server"),
        ("prometheus_client", "trifocal.serve.app", "the server"),
        ("sqlalchemy", "trifocal.feedback.sql.engine", "the event store"),
    ],
)
def test_a_missing_package_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, module: str, who: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    for name in (module, "trifocal.serve.metrics"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ConfigError, match=rf"{who} needs the package {package}: pip install 'trifocal\[serve\]'"):
        importlib.import_module(module)
