from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.serve.small_service import small_service

from trifocal.serve.app import create_app
from trifocal.serve.batching import Batches
from trifocal.serve.statuses import OverloadedError


def no_room(_batches: object) -> None:
    raise OverloadedError("an answer would wait for 300 ms", reason="wait", retry_after_s=1.2)


def test_a_question_without_room_is_refused_before_anything_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batches, "check_room", no_room)
    client = TestClient(create_app(small_service(tmp_path)))
    answer = client.post("/v1/recommend", content=b"this is no JSON")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert answer.json() == {"error": "OverloadedError", "message": "an answer would wait for 300 ms"}
    # Everything else goes on.
    assert client.get("/healthz").status_code == 200
    counted = client.get("/metrics").text
    assert 'trifocal_http_requests_total{route="/v1/recommend",status="429"} 1.0' in counted
    assert 'trifocal_refused_total{reason="wait"} 1.0' in counted
