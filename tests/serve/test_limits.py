"""Keys, sizes and rates, through the whole application."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.types import Message
from tests.serve.small_service import small_service

from trifocal.serve import ServeConfig
from trifocal.serve.access_config import AccessConfig, ApiKey
from trifocal.serve.app import create_app
from trifocal.serve.limits import TokenBuckets

READ = "read-" + "r" * 16


def client_of(folder: Path, access: AccessConfig) -> TestClient:
    service = small_service(folder, config=ServeConfig(access=access))
    return TestClient(create_app(service), raise_server_exceptions=False)


def test_with_keys_what_asks_or_tells_needs_one(tmp_path: Path) -> None:
    client = client_of(tmp_path, AccessConfig(keys=(ApiKey(key=SecretStr(READ)),)))
    for method, path in (
        ("POST", "/v1/recommend"),
        ("POST", "/v1/events"),
        ("GET", "/v1/items/red-lamp"),
        ("GET", "/v1/items/red-lamp/similar"),
        ("GET", "/v1/search?q=lamp"),
        ("GET", "/shopper?id=ann"),
    ):
        body: dict[str, str] | None = {} if method == "POST" else None
        answer = client.request(method, path, json=body)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        assert answer.json()["error"] == "UnauthorizedError"
        assert client.request(method, path, json=body, headers={"X-Api-Key": READ}).status_code in (200, 422)
    assert client.post("/v1/recommend", json={}, headers={"Authorization": f"Bearer {READ}"}).status_code == 200
    for path in ("/healthz", "/metrics", "/images/red-lamp", "/openapi.json"):
        assert client.get(path).status_code == 200, path


def test_metrics_ask_for_a_key_where_that_is_wanted(tmp_path: Path) -> None:
    client = client_of(tmp_path, AccessConfig(keys=(ApiKey(key=SecretStr(READ)),), metrics=True))
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"X-Api-Key": READ}).status_code == 200


def test_a_body_that_is_too_large_is_refused_by_its_length(tmp_path: Path) -> None:
    client = client_of(tmp_path, AccessConfig(body_bytes=1024, picture_bytes=2048))
    answer = client.post(
        "/v1/recommend", content=b"{" + b" " * 1023 + b"}", headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert answer.json() == {
        "error": "TooLargeError",
        "message": "the body has 1,025 bytes or more, the limit is 1,024; send less at a time",
    }
    assert 'trifocal_refused_total{reason="size"} 1.0' in client.get("/metrics").text
    fitting = b"{" + b" " * 1022 + b"}"
    assert (
        client.post("/v1/recommend", content=fitting, headers={"content-type": "application/json"}).status_code == 200
    )


def test_chunks_are_counted_while_they_come(tmp_path: Path) -> None:
    app = create_app(small_service(tmp_path, config=ServeConfig(access=AccessConfig(body_bytes=1024))))
    read, sent = [], list[Message]()

    async def receive() -> Message:
        read.append(1)
        return {"type": "http.request", "body": b" " * 512, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/v1/recommend", "raw_path": b"/v1/recommend",
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("test", 80), "client": ("test", 1),
        "headers": [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert (sent[0]["status"], len(read)) == (413, 3)
    assert b"the body has 1,536 bytes or more, the limit is 1,024" in sent[1]["body"]


def test_who_asks_too_often_is_told_when_to_try_again(tmp_path: Path) -> None:
    client = client_of(tmp_path, AccessConfig(rate_per_s=0.1, rate_burst=2))
    assert [client.get("/v1/items/red-lamp").status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/v1/items/red-lamp")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert answer.json()["error"] == "OverloadedError"
    assert client.get("/healthz").status_code == 200
    assert 'trifocal_refused_total{reason="rate"} 2.0' in client.get("/metrics").text


def test_a_known_key_is_a_client_of_its_own_and_a_made_up_one_is_not(tmp_path: Path) -> None:
    access = AccessConfig(keys=(ApiKey(key=SecretStr(READ)),), rate_per_s=0.1, rate_burst=1)
    client = client_of(tmp_path, access)
    path = "/v1/items/red-lamp"
    assert client.get(path, headers={"X-Api-Key": "made-up-1"}).status_code == 401
    assert client.get(path, headers={"X-Api-Key": "made-up-2"}).status_code == 429
    assert client.get(path, headers={"X-Api-Key": READ}).status_code == 200


def test_a_bucket_fills_again_at_its_rate() -> None:
    now = [0.0]
    buckets = TokenBuckets(2.0, 3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0
    now[0] = 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]
    now[0] = 100.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_quiet_clients_are_forgotten_first() -> None:
    buckets = TokenBuckets(1.0, 1, clients=2, clock=lambda: 0.0)
    for client in ("a", "b", "a", "c"):
        buckets.take(client)
    assert len(buckets) == 2
    assert (buckets.take("a") > 0, buckets.take("c") > 0) == (True, True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=40), st.integers(1, 5))
def test_no_span_of_time_holds_more_than_burst_and_rate(gaps: list[float], burst: int) -> None:
    now, taken = 0.0, 0
    clock = [0.0]
    buckets = TokenBuckets(1.5, burst, clock=lambda: clock[0])
    for gap in gaps:
        now += gap
        clock[0] = now
        taken += buckets.take("a") == 0
    assert taken <= burst + 1.5 * now + 1e-6


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b'{"k": ', 422, "the body is no JSON: Expecting value at character 6"),
        (b'{"k": 0}', 422, "body.k: Input should be greater than or equal to 1 (got 0)"),
        (b'{"user_id": "\\ud800"}', 422, "body.user_id: "),
        (b'{"\\ud800": 1}', 422, "unable to parse raw data as a unicode string"),
        (b'{"user_id": "\xff"}', 400, "There was an error parsing the body"),
        (b"[" * 100_000, 400, "There was an error parsing the body"),
        (b"", 422, "body: Field required"),
        (b"null", 422, "body: "),
    ],
)
def test_malformed_bodies_get_one_form_of_answer(tmp_path: Path, content: bytes, status: int, message: str) -> None:
    client = client_of(tmp_path, AccessConfig())
    answer = client.post("/v1/recommend", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}
    assert message in answer.json()["message"]


def test_a_long_input_is_cut_in_the_message(tmp_path: Path) -> None:
    client = client_of(tmp_path, AccessConfig())
    answer = client.post("/v1/recommend", json={"user_id": "x" * 5000})
    assert answer.status_code == 422
    assert len(answer.json()["message"]) < 250


def test_unknown_paths_and_methods_get_it_too(tmp_path: Path) -> None:
    client = client_of(tmp_path, AccessConfig())
    assert client.get("/v2").json() == {"error": "NotFoundError", "message": "Not Found"}
    answer = client.get("/v1/recommend")
    assert (answer.status_code, answer.json()["error"], answer.headers["allow"]) == (
        405,
        "MethodNotAllowedError",
        "POST",
    )
