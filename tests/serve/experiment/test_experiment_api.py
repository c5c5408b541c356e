"""An experiment over HTTP, end to end."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from tests.bundle.small_bundle import WordEncoder
from tests.serve.experiment.shop import ALS, CONTROL, POPULAR, experiment, names, service_of
from tests.serve.small_service import NOW_S, small_bundle

from trifocal.bundle import read_bundle
from trifocal.feedback import MemoryEventStore
from trifocal.serve import ServeConfig, Service, build_service
from trifocal.serve.access_config import AccessConfig, ApiKey
from trifocal.serve.app import create_app
from trifocal.serve.experiment.config import ExperimentConfig, ExplorationConfig
from trifocal.serve.gateway import Gateway
from trifocal.serve.live.config import LiveConfig

ADMIN, READ = "a" * 20, "r" * 20


@contextmanager
def client_of(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with client_of(service_of(tmp_path, experiment(CONTROL, ALS))) as client:
        yield client


def recommended(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/recommend", json={"k": 4, **body})
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def ids(body: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in body["items"]]


def events_of(body: dict[str, Any], user: str, clicks: int = 0) -> list[dict[str, Any]]:
    """Return an impression of each item, and clicks on the first ones, as a shop posts them."""
    said = {name: body[name] for name in ("answer_id", "model_version", "variant", "rung")}
    rows = [
        {"user_id": user, "item_id": item["item_id"], "position": place, "propensity": item["propensity"], **said}
        for place, item in enumerate(body["items"], start=1)
    ]
    return [{**row, "event": "impression"} for row in rows] + [{**row, "event": "click"} for row in rows[:clicks]]


def test_shoppers_get_their_variant_each_time(client: TestClient) -> None:
    first = {name: recommended(client, user_id=name)["variant"] for name in names(60)}
    assert {name: recommended(client, user_id=name)["variant"] for name in names(60)} == first
    assert set(Counter(first.values())) == {"control", "als"}
    sessions = [recommended(client, session_id="s1", events=[{"item_id": item}]) for item in ("red-lamp", "red-boot")]
    assert len({body["variant"] for body in sessions}) == 1
    assert recommended(client)["variant"] == "control"


def test_als_gives_other_lists_than_the_model(client: TestClient) -> None:
    bodies = {name: recommended(client, user_id="ann", variant=name) for name in ("control", "als")}
    assert ids(bodies["control"]) != ids(bodies["als"])
    assert {name: body["variant"] for name, body in bodies.items()} == {
        "control": "forced:control",
        "als": "forced:als",
    }
    assert bodies["als"]["model_version"].startswith("als-")
    assert client.post("/v1/recommend", json={"variant": "hat"}).status_code == 404


def test_the_shops_page_shows_the_shoppers_variant(client: TestClient) -> None:
    by_variant = {recommended(client, user_id=name)["variant"]: name for name in names(60)}
    history = [{"user_id": name, "item_id": "red-dress", "event": "purchase"} for name in by_variant.values()]
    client.post("/v1/events", json={"events": history})
    lists = []
    for name in by_variant.values():
        page = client.get("/shopper", params={"id": name}).text
        shown = list(dict.fromkeys(re.findall(r"/item\?id=([a-z-]+)", page)))
        wanted = ids(recommended(client, user_id=name, k=24))
        assert [item for item in shown if item in wanted] == wanted
        lists.append(wanted)
    assert lists[0] != lists[1]


def test_what_was_said_comes_back_into_the_store(tmp_path: Path) -> None:
    store = MemoryEventStore()
    service = service_of(
        tmp_path, experiment(CONTROL, ALS), store=store, exploration=ExplorationConfig(share=0.5, slot=2, among=2)
    )
    chances = set()
    with client_of(service) as client:
        for name in names(40):
            body = recommended(client, user_id=name)
            sent = events_of(body, name)
            assert client.post("/v1/events", json={"events": sent}).json()["stored"] == 4
            kept = store.newest(name, 10)
            assert [event.propensity for event in kept] == [item["propensity"] for item in body["items"]]
            assert {(event.variant, event.answer_id) for event in kept} == {(body["variant"], body["answer_id"])}
            chances |= {body["items"][1]["propensity"]}
    assert chances == {0.5, 0.25}


def test_a_guard_rail_stops_a_variant_and_its_shoppers_get_the_control(tmp_path: Path) -> None:
    config = experiment(CONTROL, POPULAR, check_s=0.05)
    with client_of(service_of(tmp_path, config)) as client:
        for number, shopper in enumerate(names(600)):
            body = recommended(client, user_id=shopper)
            if body["variant"] == "stopped:popular":
                break
            clicks = 2 + number % 2 if body["variant"] == "control" else 0
            client.post("/v1/events", json={"events": events_of(body, shopper, clicks)})
        state = client.get("/v1/experiment").json()
        control, popular = state["variants"]
        assert (popular["stopped"]["by"], control["stopped"]) == ("guard rail", None)
        assert 50 <= popular["shoppers"] <= number
        assert (popular["impressions"], popular["clicks"]) == (4 * popular["shoppers"], 0)
        assert popular["metrics"]["ctr"]["high"] < 0
        assert popular["rails"][0]["left"]
        assert {recommended(client, user_id=name)["variant"] for name in names(40)} == {"control", "stopped:popular"}
        own = recommended(client, user_id="ann", variant="control")
        assert ids(recommended(client, user_id="ann")) == ids(own)
        text = client.get("/metrics").text
        assert 'trifocal_experiment_stopped{experiment="spring",variant="popular"} 1.0' in text
        # The last look may have counted a few more.
        counted = re.search(r'trifocal_experiment_shoppers\{experiment="spring",variant="popular"\} (\d+)', text)
        assert counted is not None
        assert int(counted[1]) >= popular["shoppers"]
        assert "trifocal_experiment_stops_total 1.0" in text


def test_stop_and_resume_by_hand(client: TestClient) -> None:
    body = client.post("/v1/experiment/stop", json={"variant": "als", "reason": "odd"}).json()
    assert (body["variants"][1]["stopped"]["by"], body["variants"][1]["stopped"]["reason"]) == ("hand", "odd")
    assert {recommended(client, user_id=name)["model_version"] for name in names(40)} == {
        recommended(client, user_id="ann", variant="control")["model_version"]
    }
    body = client.post("/v1/experiment/resume", json={"variant": "als"}).json()
    assert body["variants"][1]["stopped"] is None
    assert {recommended(client, user_id=name)["variant"] for name in names(40)} == {"control", "als"}
    assert client.post("/v1/experiment/stop", json={"variant": "control"}).status_code == 400
    assert client.post("/v1/experiment/stop", json={"variant": "hat"}).status_code == 404


def test_who_may_look_change_and_ask_for_a_variant(tmp_path: Path) -> None:
    keys = tuple(
        ApiKey.model_validate({"key": SecretStr(key), "scope": scope})
        for key, scope in ((ADMIN, "admin"), (READ, "read"))
    )
    service = service_of(tmp_path, experiment(CONTROL, ALS), access=AccessConfig(keys=keys))
    with client_of(service) as client:

        def status(path: str, key: str, body: dict[str, Any] | None = None) -> int:
            headers = {"X-Api-Key": key}
            answer = (
                client.get(path, headers=headers) if body is None else client.post(path, json=body, headers=headers)
            )
            return answer.status_code

        assert (status("/v1/experiment", READ), client.get("/v1/experiment").status_code) == (200, 401)
        for path, body in (
            ("/v1/experiment/stop", {"variant": "als"}),
            ("/v1/experiment/resume", {"variant": "als"}),
            ("/v1/recommend", {"variant": "als"}),
        ):
            assert (status(path, READ, body), status(path, ADMIN, body)) == (403, 200)
        assert status("/v1/recommend", READ, {"user_id": "ann"}) == 200


def test_without_an_experiment_there_is_none(tmp_path: Path) -> None:
    with client_of(service_of(tmp_path, ExperimentConfig())) as client:
        answer = client.get("/v1/experiment")
        assert (answer.status_code, answer.json()["error"]) == (404, "NotFoundError")
        assert "serve.experiment.variants begins one" in answer.json()["message"]
        assert client.post("/v1/recommend", json={"variant": "als"}).status_code == 404
        assert recommended(client, user_id="ann", session_id="s1")["variant"] == "main"


def test_an_answer_that_comes_too_late_is_the_variants_own_fallback(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = next(name for name in names(40) if recommended(client, user_id=name)["variant"] == "als")

    def breaks(_self: Gateway, _asks: object) -> None:
        raise RuntimeError("weights are gone")

    monkeypatch.setattr(Gateway, "recommend_many", breaks)
    body = recommended(client, user_id=name)
    assert (body["variant"], body["rung"]) == ("als", "last")


def test_swaps_under_an_experiment_mix_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        small_bundle(tmp_path / name)
    store = MemoryEventStore()
    thirds = [variant.model_copy(update={"share": 1 / 3}) for variant in (CONTROL, ALS, POPULAR)]
    config = ServeConfig(
        experiment=experiment(*thirds),
        limit_ms=60_000,
        queue_ms=60_000,
        overloaded_queue_ms=60_000,
        live=LiveConfig(bundles=str(tmp_path)),
    )

    def load(folder: Path) -> Service:
        return build_service(read_bundle(folder), store, encoder=WordEncoder, config=config, clock=lambda: NOW_S)

    app = create_app(load(tmp_path / "a" / "bundle"), load=load)
    with TestClient(app, raise_server_exceptions=False) as client:
        expected = {name: ids(recommended(client, user_id=name)) for name in names(12)}
        variants = {name: recommended(client, user_id=name)["variant"] for name in names(12)}
        faults: list[object] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                for name in names(12):
                    body = recommended(client, user_id=name)
                    if (body["variant"], ids(body)) != (variants[name], expected[name]):
                        faults.append(body)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for folder in ("b", "a", "b"):
            assert client.post("/v1/bundle", json={"path": f"{folder}/bundle"}).status_code == 200
        assert client.post("/v1/bundle/rollback").status_code == 200
        done.set()
        for thread in threads:
            thread.join(10)
    assert faults == []
    assert set(variants.values()) == {"control", "als", "popular"}
