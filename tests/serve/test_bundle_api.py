"""Bundles swapped under load: no request fails, and no answer mixes two models."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from tests.bundle.small_bundle import WordEncoder, small_contents
from tests.serve.small_service import NOW_S

from trifocal import columns as c
from trifocal.bundle import read_bundle, write_bundle
from trifocal.feedback import MemoryEventStore
from trifocal.serve import ServeConfig, Service, build_service
from trifocal.serve.access_config import AccessConfig, ApiKey
from trifocal.serve.app import create_app
from trifocal.serve.live.config import LiveConfig

SWAPS = 20


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    for name in ("a", "b"):
        contents = small_contents(tmp_path / "pictures")
        # An item that only this bundle has, the most popular one, so that every cold answer holds it.
        ids = pl.Series(c.ITEM_ID, [f"only-{name}", *contents.items[c.ITEM_ID].to_list()[1:]])
        write_bundle(replace(contents, items=contents.items.with_columns(ids)), tmp_path / name)
    store = MemoryEventStore()

    def load(folder: Path) -> Service:
        config = ServeConfig(limit_ms=60_000, live=LiveConfig(bundles=str(tmp_path)))
        return build_service(read_bundle(folder), store, encoder=WordEncoder, config=config, clock=lambda: NOW_S)

    with TestClient(create_app(load(tmp_path / "a"), load=load), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[TestClient]:
    """A server with keys, whose history of bundles is in a file."""
    for name, popular in (("a", "only-a"), ("b", "only-b")):
        contents = small_contents()
        ids = pl.Series(c.ITEM_ID, [popular, *contents.items[c.ITEM_ID].to_list()[1:]])
        write_bundle(replace(contents, items=contents.items.with_columns(ids)), tmp_path / "bundles" / name)
    live = LiveConfig(bundles=str(tmp_path / "bundles"), history_file=str(tmp_path / "bundles.json"))
    access = AccessConfig(keys=tuple(ApiKey(scope=scope, key=SecretStr(scope * 5)) for scope in ("read", "admin")))
    store = MemoryEventStore()

    def load(folder: Path) -> Service:
        config = ServeConfig(limit_ms=60_000, live=live, access=access)
        return build_service(read_bundle(folder), store, encoder=WordEncoder, config=config, clock=lambda: NOW_S)

    with TestClient(create_app(load(tmp_path / "bundles" / "a"), load=load)) as client:
        yield client


READ, ADMIN = {"x-api-key": "read" * 5}, {"x-api-key": "admin" * 5}


def test_the_history_tells_each_bundle_and_call(keyed: TestClient) -> None:
    first = keyed.get("/v1/bundle/history", headers=READ).json()
    (start,) = first["bundles"]
    assert (start["by"], start["in_force"], start["path"], start["until"]) == ("start", True, "a", None)
    assert start["figures"] == {"recall@20": 0.25}
    assert (first["previous"], first["durable"]) == (None, True)
    keyed.post("/v1/bundle", json={"path": "b"}, headers=ADMIN)
    assert keyed.post("/v1/bundle/rollback", headers=ADMIN).status_code == 200
    after = keyed.get("/v1/bundle/history", headers=READ).json()
    assert [(bundle["by"], bundle["path"], bundle["in_force"]) for bundle in after["bundles"]] == [
        ("rollback", "a", True),
        ("swap", "b", False),
        ("start", "a", False),
    ]
    assert after["bundles"][1]["until"] == after["bundles"][0]["since"]
    assert after["model_version"] == start["model_version"] == after["bundles"][2]["model_version"]
    assert after["previous"] == after["bundles"][1]["model_version"]


def test_a_rollback_needs_the_key_of_an_administrator(keyed: TestClient) -> None:
    keyed.post("/v1/bundle", json={"path": "b"}, headers=ADMIN)
    before = keyed.get("/v1/bundle/history", headers=READ).json()
    for headers, status in ((None, 401), ({"x-api-key": "wrong"}, 401), (READ, 403)):
        assert keyed.post("/v1/bundle/rollback", headers=headers).status_code == status
    assert keyed.get("/v1/bundle/history", headers=READ).json() == before
    assert keyed.get("/v1/bundle/history").status_code == 401


def version(client: TestClient) -> str:
    return str(client.get("/v1/bundle").json()["model_version"])


def only(body: dict[str, Any]) -> set[str]:
    return {item["item_id"] for item in body["items"] if item["item_id"].startswith("only-")}


def test_swap_and_back(client: TestClient) -> None:
    client.put("/v1/items/n1", json={"title": "Red lamp"})
    client.delete("/v1/items/blue-boot")
    client.delete("/v1/users/ann")
    first = client.get("/v1/bundle").json()
    assert (first["previous"], first["variant"]) == (None, "main")
    assert client.post("/v1/bundle/rollback").status_code == 400
    second = client.post("/v1/bundle", json={"path": "b"}).json()
    assert second["model_version"] != first["model_version"]
    assert (second["previous"], second["since"] > first["since"]) == (first["model_version"], True)
    for expected in ("only-b", "only-a"):
        body = client.post("/v1/recommend", json={"user_id": "ann", "k": 20}).json()
        held = {item["item_id"] for item in body["items"]}
        assert only(body) == {expected}
        assert "n1" in held
        assert "blue-boot" not in held
        assert body["items"] == client.post("/v1/recommend", json={"user_id": "nobody", "k": 20}).json()["items"]
        assert client.get("/v1/items/n1/similar").status_code == 200
        back = client.post("/v1/bundle/rollback").json()
    assert back["model_version"] == second["model_version"]
    assert f'version="{back["model_version"]}"' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("path", "status"), [("../a", 400), ("/etc", 400), (".", 400), ("c", 404), ("damaged", 503), ("empty", 503)]
)
def test_a_bad_bundle_changes_nothing(client: TestClient, tmp_path: Path, path: str, status: int) -> None:
    before = client.get("/v1/bundle").json()
    (tmp_path / "b").rename(tmp_path / "damaged")
    with (tmp_path / "damaged" / "popularity.npy").open("ab") as file:
        file.write(b"x")
    (tmp_path / "empty").mkdir()
    answer = client.post("/v1/bundle", json={"path": path})
    assert answer.status_code == status
    if path == "damaged":
        assert answer.json()["error"] == "ArtifactError"
        assert "popularity.npy is damaged" in answer.json()["message"]
    assert client.get("/v1/bundle").json() == before
    assert len(client.post("/v1/recommend", json={}).json()["items"]) == 10


def test_swaps_under_load_fail_nobody_and_mix_nothing(client: TestClient) -> None:
    versions = {"only-a": version(client)}
    client.post("/v1/bundle", json={"path": "b"})
    versions["only-b"] = version(client)
    assert len(set(versions.values())) == 2
    stop, faults, answered = threading.Event(), list[object](), list[str]()

    def ask() -> None:
        while not stop.is_set():
            answer = client.post("/v1/recommend", json={"user_id": "zoe", "k": 20})
            if answer.status_code != 200:
                faults.append(answer.text)
                continue
            body = answer.json()
            (found,) = only(body)
            answered.append(found)
            if versions[found] != body["model_version"]:
                faults.append(body)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(SWAPS):
        swapped = client.post("/v1/bundle", json={"path": "ab"[number % 2]})
        assert swapped.status_code == 200
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert set(answered) == set(versions)


def test_without_a_folder_nothing_can_be_swapped_in(tmp_path: Path) -> None:
    write_bundle(small_contents(), tmp_path / "a")
    service = build_service(read_bundle(tmp_path / "a"), MemoryEventStore(), encoder=WordEncoder)
    with TestClient(create_app(service)) as client:
        answer = client.post("/v1/bundle", json={"path": "a"})
    assert answer.status_code == 400
    assert "serve.live.bundles" in answer.json()["message"]
