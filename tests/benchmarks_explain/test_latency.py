from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from benchmarks.explain.latency import explained_ms, in_turn
from tests.serve.explaining.fake_explainer import FakeSource, explained_service

from trifocal.cli.serve import listening_socket
from trifocal.errors import ConfigError, ServingError
from trifocal.serve.app import create_app


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def address(tmp_path: Path, source: FakeSource) -> Iterator[str]:
    with listening_socket("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(explained_service(tmp_path, source)), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def test_answers_are_timed_in_turn_and_only_explained_ones_count_as_such(address: str, source: FakeSource) -> None:
    users = ["ann", "ben", "zoe"]
    turns = in_turn(address, address, users, k=2)
    assert (len(turns.with_ms), len(turns.without_ms)) == (3, 3)
    assert source.asked == []
    assert all(taken > 0 for taken in explained_ms(address, users, k=2))
    assert [len(rows) for rows, _, _ in source.asked] == [2, 2, 2]
    source.fault = ConfigError("captum is not there")
    with pytest.raises(ServingError, match=r"the answer of eve .* is not explained: \['.*captum is not there'\]"):
        explained_ms(address, ["eve"], k=2)
