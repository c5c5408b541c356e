"""Items over HTTP: what is put is answered at once, what is deleted never again."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.serve.live.app import ids, live_client, png

from trifocal.feedback import MemoryEventStore
from trifocal.feedback.sql import SqlItemStore

COPY = {"title": "Red dress", "description": "A new one.", "category": "Fashion > Dresses", "price": 15.0}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with live_client(tmp_path) as client:
        yield client


def recommended(client: TestClient, user_id: str = "ann", k: int = 12, **more: object) -> list[str]:
    return ids(client.post("/v1/recommend", json={"user_id": user_id, "k": k, **more}))


def test_a_new_item_is_there_at_once_everywhere(client: TestClient) -> None:
    start = time.perf_counter()
    done = client.put("/v1/items/new/dress", json=COPY)
    assert done.status_code == 200
    assert {name: done.json()[name] for name in ("created", "encoded", "durable")} == {
        "created": True,
        "encoded": True,
        "durable": False,
    }
    # Ann took dresses, a red one first: its copy is nearest to them of all that she did not take.
    body = client.post("/v1/recommend", json={"user_id": "ann", "k": 1}).json()
    assert time.perf_counter() - start < 2
    assert body["items"][0]["item_id"] == "new/dress"
    assert body["items"][0]["reason"]["kind"] == "history"
    assert body["rung"] == "full"
    assert "new/dress" in ids(client.get("/v1/search?q=red%20dress&k=2"))
    assert "new/dress" in ids(client.get("/v1/items/red-dress/similar?k=2"))
    assert "red-dress" in ids(client.get("/v1/items/new%2Fdress/similar?k=2"))
    assert client.get("/v1/items/new/dress").json()["price"] == 15.0
    assert "new/dress" in recommended(client, filters={"price_max": 16})
    assert client.get("/images/new%2Fdress").headers["content-type"] == "image/svg+xml"


def test_it_counts_for_who_did_something_with_it(tmp_path: Path) -> None:
    with live_client(tmp_path, MemoryEventStore()) as client:
        event = {"user_id": "zoe", "item_id": "n1", "event": "purchase"}
        client.post("/v1/events", json={"events": [event]})
        cold = recommended(client, "zoe")
        client.put("/v1/items/n1", json={**COPY, "title": "Green lamp", "category": "Home > Lamps"})
        # The event that came before the item counts from now on.
        warm = recommended(client, "zoe", 2)
        assert "n1" not in warm
        assert warm[0] == "green-lamp"
        assert cold != recommended(client, "zoe")


def test_new_attributes_can_be_filtered_by(client: TestClient) -> None:
    client.put("/v1/items/n1", json={**COPY, "attributes": {"fabric": "linen"}})
    assert recommended(client, filters={"attributes": {"fabric": ["linen", "silk"]}}) == ["n1"]


def test_changing_an_item_keeps_what_was_not_changed(client: TestClient) -> None:
    body = {"title": "Blue boot", "description": "Changed.", "category": "Fashion > Shoes", "price": 1.0}
    done = client.put("/v1/items/red-lamp", json=body).json()
    assert (done["created"], done["item"]["title"], done["item"]["description"]) == (False, "Blue boot", "Changed.")
    assert "red-lamp" in ids(client.get("/v1/search?q=boot&k=5"))
    assert "red-lamp" not in ids(client.get("/v1/search?q=lamp&k=2"))
    assert client.get("/images/red-lamp").headers["content-type"] == "image/png"
    again = client.put("/v1/items/red-lamp", json=body).json()
    assert (again["created"], again["encoded"]) == (False, False)


def test_availability_alone_encodes_nothing(client: TestClient) -> None:
    assert "green-dress" in recommended(client)
    done = client.patch("/v1/items/green-dress", json={"available": False}).json()
    assert (done["encoded"], done["item"]["available"]) == (False, False)
    assert "green-dress" not in recommended(client)
    client.patch("/v1/items/green-dress", json={"available": True})
    assert "green-dress" in recommended(client)
    assert client.patch("/v1/items/green-dress", json={"price": 3.5}).json()["item"]["price"] == 3.5
    assert client.patch("/v1/items/hat", json={"price": 3.5}).status_code == 404


def test_a_deleted_item_is_answered_nowhere(client: TestClient) -> None:
    client.post("/v1/events", json={"events": [{"user_id": "zoe", "item_id": "green-lamp", "event": "purchase"}]})
    recommended(client, "zoe")
    assert client.delete("/v1/items/green-lamp").json() == {"item_id": "green-lamp", "deleted": True, "durable": False}
    assert client.delete("/v1/items/green-lamp").json()["deleted"] is False
    for answer in (
        client.get("/v1/search?q=green%20lamp&k=12"),
        client.get("/v1/items/red-lamp/similar?k=12"),
        client.post("/v1/recommend", json={"events": [{"item_id": "red-lamp"}], "k": 12}),
        client.post("/v1/recommend", json={"user_id": "zoe", "k": 12, "exclude_seen": False}),
    ):
        assert "green-lamp" not in ids(answer)
        assert "green-lamp" not in answer.text
    assert client.get("/v1/items/green-lamp").status_code == 404
    assert client.get("/v1/items/green-lamp/similar").status_code == 404
    assert client.get("/images/green-lamp").status_code == 404
    assert "green-lamp" not in client.get("/shopper?id=zoe", headers={"accept": "text/html"}).text
    assert client.put("/v1/items/green-lamp", json={"title": "Green lamp"}).json()["created"] is True
    assert "green-lamp" in ids(client.get("/v1/search?q=green%20lamp&k=2"))


def test_a_picture_is_checked_and_shown(client: TestClient, tmp_path: Path) -> None:
    def put(**body: object) -> int:
        return int(client.put("/v1/items/n1", json={"title": "Lamp", **body}).status_code)

    assert put(picture=base64.b64encode(png()).decode()) == 200
    assert client.get("/images/n1").content == png()
    assert put(picture_address="red-lamp.png") == 200
    assert client.get("/images/n1").content == (tmp_path / "pictures" / "red-lamp.png").read_bytes()
    for bad in (
        {"picture": base64.b64encode(b"no picture").decode()},
        {"picture": base64.b64encode(png()[:60]).decode()},
        {"picture_address": "../bundle/manifest.json"},
        {"picture_address": "/etc/passwd"},
        {"picture_address": "http://localhost:1/a.png"},
        {"picture_address": "file:///etc/passwd"},
        {"picture": base64.b64encode(png()).decode(), "picture_address": "red-lamp.png"},
    ):
        assert put(**bad) == 400, bad
    assert put(picture="a") == 422
    # What was refused left the item as it was.
    assert client.get("/images/n1").content == (tmp_path / "pictures" / "red-lamp.png").read_bytes()


@pytest.mark.parametrize("body", [{"price": -1}, {"price": "NaN"}, {"colour": "red"}, {"title": "x" * 1001}])
def test_wrong_bodies_are_refused(client: TestClient, body: dict[str, object]) -> None:
    assert client.put("/v1/items/n1", json=body).status_code == 422


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    store = SqlItemStore(path)
    with live_client(tmp_path, items=store) as client:
        for name, title in (("n1", "Red dress"), ("n2", "Blue lamp"), ("n3", "Red boot")):
            assert client.put(f"/v1/items/{name}", json={"title": title}).json()["durable"] is True
        client.put("/v1/items/n2", json={"title": "Green lamp", "picture": base64.b64encode(png()).decode()})
        client.patch("/v1/items/red-boot", json={"available": False})
        for gone in ("n1", "blue-lamp"):
            client.delete(f"/v1/items/{gone}")
        before = [
            client.get("/v1/search?q=green%20lamp&k=12").json()["items"],
            client.post("/v1/recommend", json={"user_id": "ben", "k": 12}).json()["items"],
        ]
    store.close()
    again = SqlItemStore(path)
    with live_client(tmp_path, items=again) as client:
        after = [
            client.get("/v1/search?q=green%20lamp&k=12").json()["items"],
            client.post("/v1/recommend", json={"user_id": "ben", "k": 12}).json()["items"],
        ]
        assert after == before
        assert client.get("/images/n2").content == png()
        assert client.get("/v1/items/n1").status_code == 404
    again.close()


def test_requests_and_changes_at_the_same_time(client: TestClient) -> None:
    def change(number: int) -> int:
        title = ("Red dress", "Blue lamp")[number % 2]
        name = f"n{number % 6}"
        answer = (
            client.delete(f"/v1/items/{name}")
            if number % 5 == 4
            else client.put(f"/v1/items/{name}", json={"title": title})
        )
        return int(answer.status_code)

    def ask(number: int) -> int:
        events = [{"item_id": f"n{number % 6}"}, {"item_id": "red-dress"}]
        return int(client.post("/v1/recommend", json={"user_id": "ann", "events": events, "k": 20}).status_code)

    with ThreadPoolExecutor(4) as pool:
        changed, asked = pool.map(change, range(60)), pool.map(ask, range(60))
        assert set(changed) | set(asked) == {200}
