"""The HTTP edge, request by request."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.bundle.small_bundle import draw_pictures
from tests.serve.small_service import small_service

from trifocal.serve import Gateway, Service
from trifocal.serve.app import create_app


@pytest.fixture
def service(tmp_path: Path) -> Service:
    draw_pictures(tmp_path / "pictures")
    return small_service(tmp_path)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


def ids(body: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in body["items"]]


def event(**changes: Any) -> dict[str, Any]:
    return {"event_id": "e1", "user_id": "ben", "item_id": "red-lamp", "event": "purchase", **changes}


def test_recommendations_carry_what_a_shop_needs(client: TestClient, service: Service) -> None:
    body = client.post("/v1/recommend", json={"user_id": "ann", "k": 2}).json()
    assert sorted(ids(body)) == ["black-dress", "green-dress"]
    assert (body["rung"], body["model_version"]) == ("full", service.manifest.model_version)
    assert (body["stages_ms"], body["notes"]) == (None, [])
    item = next(item for item in body["items"] if item["item_id"] == "green-dress")
    score = item.pop("score")
    assert 0 < score <= 1
    assert item == {
        "item_id": "green-dress",
        "title": "Green dress",
        "category": "Fashion > Dresses",
        "price": 70.0,
        "image": "/images/green-dress",
        # Ann took the red dress and then the blue one, which are as alike to the green one: the newest is named.
        "reason": {"kind": "history", "item_id": "blue-dress", "title": "Blue dress"},
        "propensity": 1.0,
        "explanation": None,
    }
    assert body["variant"] == "main"


def test_a_session_in_the_body_with_everything_else(client: TestClient) -> None:
    question = {
        "events": [{"item_id": "red-lamp", "event": "cart", "timestamp": "2024-05-01T10:00:00Z"}, {"item_id": "hat"}],
        "k": 100,
        "context": {"device": "phone", "country": "NL", "timestamp": 1714557600},
        "query": "blue",
        "exclude": ["blue-boot"],
        "filters": {"price_min": 20, "price_max": 90, "category": "Home"},
        "timings": True,
    }
    body = client.post("/v1/recommend", json=question).json()
    # Lamps cost 30, 60, 90, 120; the first was in the session.
    assert ids(body) == ["blue-lamp", "green-lamp"]
    assert body["notes"] == ["items of the session that this bundle does not know were ignored: hat"]
    assert set(body["stages_ms"]) == {"state", "query", "exclude", "encode", "retrieve", "rank", "adjust", "answer"}
    assert all(milliseconds >= 0 for milliseconds in body["stages_ms"].values())


def test_strangers_and_nobody_get_a_cold_answer(client: TestClient) -> None:
    assert len(client.post("/v1/recommend", json={"user_id": "nobody"}).json()["items"]) == 10
    assert len(client.post("/v1/recommend", json={}).json()["items"]) == 10


def test_an_event_changes_the_very_next_answer(client: TestClient) -> None:
    question = {"user_id": "ben", "k": 1}
    assert ids(client.post("/v1/recommend", json=question).json())[0].endswith("boot")
    lamps = [event(), event(event_id="e2", item_id="blue-lamp")]
    assert client.post("/v1/events", json={"events": lamps}).json() == {"stored": 2, "ignored": 0}
    assert ids(client.post("/v1/recommend", json=question).json()) == ["green-lamp"]


def test_a_batch_may_be_sent_twice(client: TestClient) -> None:
    batch = {"events": [event(), event(event_id="e2", dwell_ms=10, position=1, value=2.5, query="q")]}
    assert client.post("/v1/events", json=batch).json() == {"stored": 2, "ignored": 0}
    batch["events"].append(event(event_id="e3", item_id="not-yet-in-the-bundle"))
    assert client.post("/v1/events", json=batch).json() == {"stored": 1, "ignored": 2}


def test_an_event_without_an_id_gets_one(client: TestClient) -> None:
    nameless = {name: value for name, value in event().items() if name != "event_id"}
    assert client.post("/v1/events", json={"events": [nameless, nameless]}).json() == {"stored": 2, "ignored": 0}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/recommend", {"k": 0}),
        ("/v1/recommend", {"k": 101}),
        ("/v1/recommend", {"user": "ann"}),
        ("/v1/recommend", {"filters": {"price_min": -1}}),
        ("/v1/events", {"events": []}),
        ("/v1/events", {"events": [event(event="stare")]}),
        ("/v1/events", {"events": [event(position=0)]}),
        ("/v1/events", {"events": [event(user_id="")]}),
    ],
)
def test_wrong_bodies_are_refused(client: TestClient, path: str, body: dict[str, Any]) -> None:
    assert client.post(path, json=body).status_code == 422


def test_items_similar_items_and_search(client: TestClient) -> None:
    item = client.get("/v1/items/red-lamp").json()
    assert (item["title"], item["price"], item["available"]) == ("Red lamp", 30.0, True)
    similar = client.get("/v1/items/red-lamp/similar", params={"k": 2}).json()
    assert sorted(ids(similar)) == ["blue-lamp", "green-lamp"]
    found = client.get("/v1/search", params={"q": "green boot", "k": 1, "timings": True}).json()
    assert (ids(found), found["rung"]) == (["green-boot"], "hybrid")
    assert found["stages_ms"]["rank"] >= 0
    assert ids(client.get("/v1/search", params={"q": "green", "category": "Home", "price_max": 50}).json()) == [
        "red-lamp"
    ]


@pytest.mark.parametrize("path", ["/v1/items/hat", "/v1/items/hat/similar", "/images/hat"])
def test_unknown_items_are_404_with_a_reason(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "NotFoundError",
        "message": "item 'hat' is not among the 12 items of this bundle; check the id",
    }


def test_pictures_and_placeholders(client: TestClient) -> None:
    picture = client.get("/images/red-lamp")
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/png", "public, max-age=300")
    assert picture.content.startswith(b"\x89PNG")
    missing = client.get("/images/red-dress")
    assert missing.headers["content-type"].startswith("image/svg+xml")
    assert ">R</text>" in missing.text
    broken = client.get("/images/red-boot")
    assert broken.headers["content-type"].startswith("image/svg+xml")


def test_health_readiness_and_metrics(client: TestClient, service: Service) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    for _ in range(100):
        if client.get("/readyz").status_code == 200:
            break
        time.sleep(0.02)
    assert client.get("/readyz").json() == {"status": "ready", "model_version": service.manifest.model_version}
    client.post("/v1/recommend", json={"user_id": "ann"})
    client.post("/v1/events", json={"events": [event(), event()]})
    client.get("/v1/items/a/similar")
    client.get("/v1/items/b/similar")
    text = client.get("/metrics").text
    for line in (
        'trifocal_http_requests_total{route="/v1/recommend",status="200"} 1.0',
        'trifocal_http_requests_total{route="/v1/items/{item_id:path}/similar",status="404"} 2.0',
        'trifocal_rung_answers_total{rung="full"} 1.0',
        "trifocal_events_stored_total 1.0",
        'trifocal_stage_seconds_count{stage="rank"} 1.0',
        f'trifocal_model_info{{name="nearest",version="{service.manifest.model_version}"}} 1.0',
    ):
        assert line in text


def test_not_ready_before_the_models_are_warm(service: Service) -> None:
    # Without the lifespan nothing warms up.
    answer = TestClient(create_app(service)).get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "warming up")


def test_a_failed_warm_up_is_logged_and_stays_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_self: Service) -> None:
        raise RuntimeError("weights are gone")

    monkeypatch.setattr(Service, "warm_up", breaks)
    with TestClient(create_app(service)) as client:
        for _ in range(100):
            if "RuntimeError: weights are gone" in caplog.text:
                break
            time.sleep(0.02)
        assert client.get("/readyz").status_code == 503
    assert "warming up failed, the service stays not ready" in caplog.text


def test_unknown_paths_share_one_label(client: TestClient) -> None:
    for number in range(3):
        assert client.get(f"/wp-admin/{number}").status_code == 404
    text = client.get("/metrics").text
    assert re.search(r'requests_total\{route="unmatched",status="404"\} 3.0', text)


def test_a_fault_of_our_own_gives_nothing_away(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_self: Gateway, *_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Gateway, "recommend", breaks)
    monkeypatch.setattr(Gateway, "similar", breaks)
    answer = client.get("/v1/items/red-lamp/similar")
    assert (answer.status_code, answer.json()["error"]) == (500, "InternalError")
    assert "secret" not in answer.text
    assert "ZeroDivisionError: secret" in caplog.text
    page = client.get("/shopper?id=ann", headers={"accept": "text/html"})
    assert page.status_code == 500
    assert "a fault of its own" in page.text


def test_openapi_describes_every_endpoint(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert {"/v1/recommend", "/v1/search", "/v1/events", "/healthz", "/readyz", "/metrics"} <= set(schema["paths"])
    fields = schema["components"]["schemas"]["RecommendBody"]["properties"]
    assert fields["exclude"]["description"] == "Items that must not be answered."
    assert all(operation["description"] for path in schema["paths"].values() for operation in path.values())
