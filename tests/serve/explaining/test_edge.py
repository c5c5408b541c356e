"""Explanations over HTTP: on every list, for one card, and when they cannot be given."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.bundle.small_bundle import draw_pictures
from tests.serve.explaining.fake_explainer import FakeSource, explained_service

from trifocal.errors import ConfigError
from trifocal.serve import ServeConfig
from trifocal.serve.app import create_app

ASKED = {"user_id": "ann", "k": 3, "explain": True, "timings": True}


@contextmanager
def client(folder: Path, source: FakeSource | None = None, **config: Any) -> Iterator[TestClient]:
    draw_pictures(folder / "pictures")
    app = create_app(explained_service(folder, source or FakeSource(), ServeConfig(**config)))
    with TestClient(app, raise_server_exceptions=False) as running:
        yield running


def items(body: dict[str, Any]) -> list[dict[str, Any]]:
    assert body["items"]
    return list(body["items"])


def count(running: TestClient, outcome: str) -> float:
    lines = [line for line in running.get("/metrics").text.splitlines() if f'outcome="{outcome}"' in line]
    return sum(float(line.split()[-1]) for line in lines if line.startswith("trifocal_explanations_total"))


def test_every_list_can_be_explained(tmp_path: Path) -> None:
    source = FakeSource()
    with client(tmp_path, source) as running:
        body = running.post("/v1/recommend", json=ASKED).json()
        assert all(item["explanation"]["words"][0]["text"] == item["title"].split()[0] for item in items(body))
        assert items(body)[0]["explanation"]["nearest"]["image"] == "/images/blue-dress"
        assert body["stages_ms"]["explain"] > 0
        assert 'trifocal_stage_seconds_count{stage="explain"} 1.0' in running.get("/metrics").text
        body = running.get("/v1/items/red-dress/similar?k=2&explain=true").json()
        assert {item["explanation"]["nearest"]["item_id"] for item in items(body)} == {"red-dress"}
        body = running.get("/v1/search?q=blue&k=2&explain=true").json()
        assert items(body)[0]["explanation"]["sentence"] == "For «blue»: its text says “blue”."
        body = running.post("/v1/search", json={"q": "blue", "k": 2, "explain": True}).json()
        assert items(body)[0]["explanation"]["sentence"] == "For «blue»: its text says “blue”."
        assert count(running, "explained") == 9


def test_who_does_not_ask_loads_nothing(tmp_path: Path) -> None:
    source = FakeSource()
    with client(tmp_path, source) as running:
        bodies = [
            running.post("/v1/recommend", json={"user_id": "ann"}).json(),
            running.get("/v1/items/red-dress/similar").json(),
            running.get("/v1/search?q=blue").json(),
        ]
        assert all(item["explanation"] is None for body in bodies for item in items(body))
    assert (source.loaded, source.asked) == (0, [])


def test_why_this(tmp_path: Path) -> None:
    source = FakeSource()
    with client(tmp_path, source) as running:
        question = {"events": [{"item_id": "red-lamp"}], "query": "red", "item_ids": ["green-dress", "red-boot"]}
        body = running.post("/v1/explain", json=question).json()
        assert [item["item_id"] for item in body["items"]] == question["item_ids"]
        assert body["items"][0]["explanation"]["nearest"]["item_id"] == "red-lamp"
        assert (body["notes"], list(body["stages_ms"])) == ([], ["explain"])
        assert running.post("/v1/explain", json={"item_ids": ["never"]}).status_code == 404
        assert running.post("/v1/explain", json={"item_ids": []}).status_code == 422
        assert running.post("/v1/explain", json={"item_ids": ["red-boot"] * 21}).status_code == 422


@pytest.mark.parametrize("at_load", [True, False])
def test_an_answer_outlives_the_failure_of_its_explanation(
    tmp_path: Path, at_load: bool, caplog: pytest.LogCaptureFixture
) -> None:
    missing = ConfigError("captum is missing: pip install 'trifocal[explain]'")
    with client(tmp_path, FakeSource(fault=missing, at_load=at_load)) as running:
        body = running.post("/v1/recommend", json=ASKED).json()
        assert [item["explanation"] for item in items(body)] == [None] * 3
        assert "trifocal[explain]" in body["notes"][0]
        assert count(running, "unavailable") == 3
        refused = running.post("/v1/explain", json={"item_ids": ["red-boot"]})
        assert (refused.status_code, refused.json()["message"]) == (501, str(missing))
    with client(tmp_path / "other", FakeSource(fault=ZeroDivisionError(), at_load=at_load)) as running:
        body = running.post("/v1/recommend", json=ASKED).json()
        assert [item["explanation"] for item in items(body)] == [None] * 3
        assert "log" in body["notes"][0]
        assert count(running, "failed") == 3
    assert "ZeroDivisionError" in caplog.text


def test_switched_off(tmp_path: Path) -> None:
    source = FakeSource()
    with client(tmp_path, source, explain=False, explain_warm=True) as running:
        body = running.post("/v1/recommend", json=ASKED).json()
        assert [item["explanation"] for item in items(body)] == [None] * 3
        assert "serve.explain" in body["notes"][0]
        assert running.post("/v1/explain", json={"item_ids": ["red-boot"]}).status_code == 501
    assert source.loaded == 0


def test_late_and_too_many(tmp_path: Path) -> None:
    source = FakeSource(gate=threading.Event())
    with client(tmp_path, source, explain_ms=20, explain_threads=1, explain_queue=1) as running:
        late = running.post("/v1/recommend", json=ASKED).json()
        assert "longer than 20 ms" in late["notes"][0]
        full = running.post("/v1/recommend", json=ASKED).json()
        assert "the limit is 1" in full["notes"][0]
        assert [item["explanation"] for item in items(late) + items(full)] == [None] * 6
        assert running.post("/v1/explain", json={"item_ids": ["red-boot"]}).status_code == 429
        assert (count(running, "late"), count(running, "refused")) == (3, 4)
        assert source.gate is not None
        source.gate.set()


def test_it_can_be_loaded_before_anybody_asks(tmp_path: Path) -> None:
    source = FakeSource()
    with client(tmp_path, source, explain_warm=True):
        until = time.monotonic() + 5
        while not source.asked and time.monotonic() < until:
            time.sleep(0.01)
    assert source.loaded == 1
