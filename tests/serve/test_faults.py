"""Each fault on its own, seen through HTTP: what still answers, by which rung, and what the log says."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import OperationalError
from tests.bundle.small_bundle import small_contents
from tests.bundle.test_network import original, through_disk
from tests.serve.caches.valkey_server import RealValkey
from tests.serve.remembering import RememberingEngine
from tests.serve.small_service import small_bundle, small_service

from trifocal.bundle import write_bundle
from trifocal.cli import main
from trifocal.feedback import MemoryEventStore
from trifocal.feedback.sql import SqlEventStore
from trifocal.index import IndexConfig, NearestRecommender
from trifocal.ports import StoredEvent
from trifocal.serve import ServeConfig, build_service
from trifocal.serve.app import create_app
from trifocal.serve.caches import shared_caches
from trifocal.serve.caches.config import CacheConfig
from trifocal.serve.engines import WholeEngine
from trifocal.serve.models import SERVING_FOLDER
from trifocal.serve.online import Candidates
from trifocal.serve.watch.config import WatchConfig
from trifocal.types import FloatArray, Rankings, Request

LIMIT_MS = 100.0
QUESTION = {"user_id": "ann", "k": 2}
BATCH = {"events": [{"event_id": "e1", "user_id": "ann", "item_id": "red-lamp", "event": "purchase"}]}


class FaultyEngine(WholeEngine):
    """Works until `broken` names a step: then that step raises, or hangs until `released`."""

    def __init__(self) -> None:
        contents = small_contents()
        super().__init__(NearestRecommender(contents.item_vectors, contents.text_vectors.astype(np.float32)))
        self.broken, self.hangs = "", False
        self.released = threading.Event()

    def encode(self, requests: Sequence[Request]) -> FloatArray:
        self._meet("encode")
        return super().encode(requests)

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        self._meet("retrieve")
        return super().retrieve(request, user, k)

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        self._meet("rank")
        return super().rank(request, candidates)

    def _meet(self, step: str) -> None:
        if step != self.broken:
            return
        if not self.hangs:
            raise RuntimeError(f"{step} is broken")
        self.released.wait(10)


@pytest.fixture
def engine() -> Iterator[FaultyEngine]:
    engine = FaultyEngine()
    yield engine
    engine.released.set()


@pytest.fixture
def client(tmp_path: Path, engine: FaultyEngine) -> Iterator[TestClient]:
    # What the ladder does by itself; the watch would move it.
    config = ServeConfig(limit_ms=LIMIT_MS, queue_ms=10_000, watch=WatchConfig(enabled=False))
    service = small_service(tmp_path, engine=engine, config=config)
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


def asked(client: TestClient, **changes: object) -> dict[str, Any]:
    answer = client.post("/v1/recommend", json=QUESTION | changes)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_ranker_that_raises_leaves_the_order_of_retrieval(
    client: TestClient, engine: FaultyEngine, caplog: pytest.LogCaptureFixture
) -> None:
    before = asked(client)
    engine.broken = "rank"
    after = asked(client)
    assert (before["rung"], after["rung"]) == ("full", "retrieval")
    assert [item["item_id"] for item in after["items"]] == [item["item_id"] for item in before["items"]]
    assert "rung full failed" in caplog.text
    assert 'trifocal_rung_answers_total{rung="retrieval"} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize("step", ["encode", "retrieve"])
def test_without_retrieval_the_last_list_answers_and_what_is_popular_where_there_is_none(
    client: TestClient, engine: FaultyEngine, step: str
) -> None:
    before = asked(client)
    engine.broken = step
    after = asked(client)
    assert after["rung"] == "last"
    assert [item["item_id"] for item in after["items"]] == [item["item_id"] for item in before["items"]]
    stranger = asked(client, user_id="nobody", exclude=["red-dress"])
    # Cheap items are popular in this shop.
    assert (stranger["rung"], [item["item_id"] for item in stranger["items"]]) == ("popular", ["red-boot", "red-lamp"])


def test_a_ranker_that_hangs_is_given_up_in_time_and_the_next_question_answered(
    client: TestClient, engine: FaultyEngine
) -> None:
    asked(client)
    engine.broken, engine.hangs = "rank", True
    started = time.perf_counter()
    assert asked(client)["rung"] == "last"
    assert asked(client, user_id="nobody")["rung"] == "popular"
    # Twice the limit each, and what a busy machine takes beside.
    assert time.perf_counter() - started < 2 * (2 * LIMIT_MS / 1000) + 1
    assert "trifocal_batches_hung 2.0" in client.get("/metrics").text
    engine.broken = ""
    assert asked(client)["rung"] == "full"


class Hanging(RememberingEngine):
    """Hangs where it is broken, until `released`."""

    released = threading.Event()

    def _meet(self, step: str) -> None:
        if step in self.broken:
            self.released.wait(10)


def test_while_a_model_hangs_the_memory_answers_in_another_thread(tmp_path: Path) -> None:
    engine = Hanging(broken=("encode",))
    config = ServeConfig(limit_ms=LIMIT_MS, queue_ms=10_000, watch=WatchConfig(enabled=False))
    with TestClient(create_app(small_service(tmp_path, engine=engine, config=config))) as client:
        try:
            answers = [asked(client)["rung"], asked(client, user_id="nobody")["rung"]]
        finally:
            engine.released.set()
    assert answers == ["memory", "popular"]


class BrokenStore(MemoryEventStore):
    """Raises what a full disk makes of a write, and of a read where `reads` says so."""

    reads = True

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def append(self, events: Sequence[StoredEvent]) -> int:
        raise self._error

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        if self.reads:
            return super().newest(user_id, limit)
        raise self._error


FULL = OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), FULL])
def test_a_store_that_is_full_acknowledges_nothing_and_recommendations_go_on(tmp_path: Path, error: Exception) -> None:
    client = TestClient(create_app(small_service(tmp_path, store=BrokenStore(error))), raise_server_exceptions=False)
    answer = client.post("/v1/events", json=BATCH)
    assert (answer.status_code, answer.json()["error"]) == (503, "UnavailableError")
    assert "none of the 1 events is promised; send them again under the same ids" in answer.json()["message"]
    assert "trifocal_events_stored_total 0.0" in client.get("/metrics").text
    assert asked(client)["rung"] == "full"


def test_a_store_that_cannot_be_read_leaves_what_the_bundle_knows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = BrokenStore(FULL)
    service = small_service(tmp_path, store=store)
    client = TestClient(create_app(service), raise_server_exceptions=False)
    before = asked(client)
    store.reads = False
    service.state.clear()
    assert asked(client)["items"] == before["items"]
    assert "the event store cannot be read, live events do not count" in caplog.text
    assert client.get("/shopper?id=ann").status_code == 200


def test_a_real_disk_that_is_full_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    store = SqlEventStore(tmp_path / "events.sqlite")
    client = TestClient(create_app(small_service(tmp_path, store=store)), raise_server_exceptions=False)
    assert client.post("/v1/events", json=BATCH).json() == {"stored": 1, "ignored": 0}

    def no_more(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    sqlalchemy_event.listen(store._engine, "connect", no_more)
    store._engine.dispose()
    many = [{**BATCH["events"][0], "event_id": f"m{number}", "query": "x" * 400} for number in range(500)]
    answer = client.post("/v1/events", json={"events": many})
    assert answer.status_code == 503
    assert asked(client)["rung"] == "full"
    sqlalchemy_event.remove(store._engine, "connect", no_more)
    store._engine.dispose()
    # The batch was refused whole: with room again, all of it is new.
    assert client.post("/v1/events", json={"events": many}).json() == {"stored": 500, "ignored": 0}
    assert client.post("/v1/events", json=BATCH).json() == {"stored": 0, "ignored": 1}
    store.close()


def test_answers_go_on_when_the_shared_cache_dies(tmp_path: Path) -> None:
    valkey = RealValkey()
    caches = CacheConfig(
        shared_url=SecretStr(valkey.url), session_fresh_s=0.001, cool_down_s=0.05, answer_bytes=1_000_000
    )
    shared = shared_caches(caches)
    service = build_service(
        small_bundle(tmp_path), MemoryEventStore(), config=ServeConfig(caches=caches), shared=shared
    )
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        before = asked(client)
        everything = [item["item_id"] for item in asked(client, k=12)["items"]]
        valkey.kill()
        after = [asked(client) for _ in range(5)]
        assert [answer["items"] for answer in after] == [before["items"]] * 5
        assert client.post("/v1/events", json=BATCH).json() == {"stored": 1, "ignored": 0}
        # The event counts though the server could not be told: what was bought is not offered again.
        bought = [item["item_id"] for item in asked(client, k=12)["items"]]
        assert ("red-lamp" in everything, "red-lamp" in bought) == (True, False)
        text = client.get("/metrics").text
        assert 'trifocal_cache_available{cache="sessions",level="shared"} 0.0' in text
    shared.close()
    valkey.close()


def test_an_index_file_that_was_cut_short_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = through_disk(original()[1], tmp_path)
    _export_nothing(monkeypatch)
    index = IndexConfig(kind="flat8", recall_target=0.1, exact_up_to=0)
    config = ServeConfig(index=index, precision="float32", limit_ms=20_000)
    client = TestClient(create_app(build_service(bundle, MemoryEventStore(), config=config)))
    before = asked(client, user_id="ben")
    file = bundle.folder / SERVING_FOLDER / "index.faiss"
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    again = TestClient(create_app(build_service(bundle, MemoryEventStore(), config=config)))
    assert (before["rung"], asked(again, user_id="ben")["items"]) == ("full", before["items"])
    assert "index.faiss is missing or damaged; prepare it anew" in caplog.text
    assert file.read_bytes() == whole


def _export_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the networks answer by PyTorch: exporting them takes long, and has its own tests."""
    from trifocal.bundle import serving_files
    from trifocal.bundle.onnx_export import RANKER_FILE, TOWER_FILE

    for name, file in (("export_tower", TOWER_FILE), ("export_ranker", RANKER_FILE)):

        def export(_model: object, folder: Path, *, precision: object, file: str = file) -> Timing:
            (folder / file).write_bytes(b"no network")
            return Timing()

        monkeypatch.setattr(serving_files, name, export)
    monkeypatch.setattr(serving_files, "open_session", lambda *_, **__: None)
    for name in ("OnnxUsers", "OnnxScorer"):
        monkeypatch.setattr(f"trifocal.serve.models.{name}", lambda *_, **__: None)


@dataclass(frozen=True)
class Timing:
    """What an export measures: nothing here."""


def test_a_bundle_that_was_changed_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(small_contents(), tmp_path / "bundle")
    file = tmp_path / "bundle" / "popularity.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["trifocal", "serve", str(tmp_path / "bundle"), "--port", "0"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "popularity.npy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 422),
        (b'{"k": NaN}', 422),
        (b'{"k": 1e400}', 422),
        (b'{"user_id": "' + b"x" * 300 + b'"}', 422),
        (json.dumps({"exclude": ["x"] * 10_001}).encode(), 422),
        (b'{"events": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400),
        (b" " * 2_000_000, 413),
    ],
)
def test_malformed_and_huge_bodies_get_a_reason(client: TestClient, content: bytes, status: int) -> None:
    answer = client.post("/v1/recommend", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}
    assert len(answer.content) < 2000
    assert asked(client)["rung"] == "full"
