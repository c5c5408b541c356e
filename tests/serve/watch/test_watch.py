"""The watch over the small shop: a clock by hand, no thread; and over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.serve.remembering import RememberingEngine
from tests.serve.small_service import small_service

from trifocal.errors import ConfigError
from trifocal.feedback.health import DetectorConfig, GuardConfig, Settled
from trifocal.feedback.kpis import KpiConfig
from trifocal.ports import StoredEvent
from trifocal.serve import Answer, Ask, Engine, ServeConfig, Service
from trifocal.serve.access_config import AccessConfig, ApiKey
from trifocal.serve.app import create_app
from trifocal.serve.current import Current
from trifocal.serve.entrance import RUNGS
from trifocal.serve.watch.config import WatchConfig
from trifocal.serve.watch.refill import refill
from trifocal.serve.watch.watch import Watch

CONFIG = WatchConfig(
    check_s=1.0,
    guard=GuardConfig(cool_down_s=10, checks_passed=2, probe_every=2, probe_answers=3, probe_s=20),
    detectors=DetectorConfig(settle_s=5, learn_impressions=200),
    kpis=KpiConfig(windows_s=(60,), buckets=10),
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Shop:
    """The small service under a watch whose clock is set by hand."""

    def __init__(self, folder: Path, config: WatchConfig = CONFIG, engine: Engine | None = None) -> None:
        self.service = small_service(folder, engine=engine, config=ServeConfig(watch=config))
        self.clock = Clock()
        self.current = Current(self.service)
        self.watch = Watch(self.current, config, self.clock)
        self.watch.step()

    def ask(self, user: str = "ann") -> Answer:
        answer = self.service.gateway.recommend(Ask(user_id=user, k=3))
        self.watch.answered(answer, 2.0)
        return answer

    def after(self, seconds: float) -> str:
        """Let the watch look after `seconds`; return the rung in force."""
        self.clock.now_s += seconds
        self.watch.step()
        return self.watch.report().ladders[0].rung

    def shuffle(self) -> np.ndarray:
        """Give every item another one's vector in the running engine; return the vectors as they were."""
        vectors = vectors_of(self.service)
        before = vectors.copy()
        vectors[:] = np.roll(before, 1, axis=0)
        return before


def vectors_of(service: Service) -> np.ndarray:
    found = service.gateway.engine.vectors
    assert isinstance(found, np.ndarray)
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_shuffled_vectors_are_found_without_a_click_and_the_ladder_comes_back(shop: Shop) -> None:
    good = [item.card.item_id for item in shop.ask().items]
    assert shop.after(1.0) == "full"
    before = shop.shuffle()
    assert [item.card.item_id for item in shop.ask().items] != good
    assert shop.after(1.0) == "last"
    # The last list of the healthy time, not that of the broken model.
    answer = shop.ask()
    assert (answer.rung, [item.card.item_id for item in answer.items]) == ("last", good)
    # Broken still: nothing is probed.
    for _ in range(20):
        assert shop.after(1.0) == "last"
    assert shop.ask().rung == "last"
    vectors_of(shop.service)[:] = before
    rungs = []
    for _ in range(60):
        shop.ask()
        rungs.append(shop.after(1.0))
    assert list(dict.fromkeys(rungs)) == ["last", "retrieval", "full"]
    assert [item.card.item_id for item in shop.ask().items] == good
    ladder = shop.watch.report().ladders[0]
    assert [move.kind for move in ladder.moves] == ["fall", "climb", "climb"]
    assert (ladder.falls, ladder.climbs, ladder.phase) == (1, 2, "steady")


def test_a_model_that_is_misled_is_left_for_its_memory_and_the_ladder_comes_back(tmp_path: Path) -> None:
    engine = RememberingEngine()
    shop = Shop(tmp_path, engine=engine)
    shop.ask()
    assert shop.after(1.0) == "full"
    engine.misled = True
    assert shop.after(1.0) == "memory"
    # That strangers are answered by the rungs below is no fault of the memory.
    for _ in range(30):
        assert (shop.ask().rung, shop.ask("nobody").rung) == ("memory", "popular")
        assert shop.after(1.0) == "memory"
    engine.misled = False
    rungs = []
    for _ in range(60):
        shop.ask()
        rungs.append(shop.after(1.0))
    assert list(dict.fromkeys(rungs)) == ["memory", "retrieval", "full"]


def test_a_memory_that_breaks_as_well_is_left_and_found_again_although_strangers_ask(tmp_path: Path) -> None:
    engine = RememberingEngine(misled=False)
    shop = Shop(tmp_path, engine=engine)
    engine.broken = ("encode", "remember")
    assert shop.after(1.0) == "last"
    engine.broken = ("encode",)
    for _ in range(40):
        shop.ask()
        shop.ask("nobody")
        if shop.after(1.0) != "last":
            break
    assert shop.watch.report().ladders[0].rung == "memory"


def test_probes_are_compared_with_all_that_the_rung_in_force_and_those_below_it_answered(tmp_path: Path) -> None:
    watch = Shop(tmp_path, engine=RememberingEngine()).watch._watches["main"]
    watch.guard.rung = RUNGS.index("memory")
    for rung, clicks in (("memory", (1, 0, 1)), ("popular", (0, 0)), ("retrieval", (1,))):
        watch.settled(Settled("main", rung, clicks), 1001.0)
    tally = watch._tallies(Shop(tmp_path / "other").service.gateway)
    # By hand: three of the memory's and two of what is popular, two clicks.
    assert (tally[2].impressions, tally[2].clicks) == (5, 2)
    assert (tally[1].impressions, tally[1].clicks) == (1, 1)


def test_an_alarm_of_the_self_check_is_kept_and_counted(shop: Shop) -> None:
    shop.shuffle()
    shop.after(1.0)
    report = shop.watch.report()
    (alarm,) = report.alarms
    assert (alarm.signal, alarm.severity) == ("self_check", "step")
    assert report.alarm_counts == {("self_check", "step"): 1}


def test_clicks_that_stop_lead_one_rung_down_although_the_lists_are_right(shop: Shop) -> None:
    def shown(place: int, clicks: int) -> list[StoredEvent]:
        about: dict[str, Any] = {"answer_id": f"a{place}", "variant": "main", "rung": "full"}
        items = ["red-dress", "blue-dress", "red-boot", "blue-boot", "red-lamp"]
        impressions = [StoredEvent("", f"u{place % 7}", item, "impression", 0.0, **about) for item in items]
        return impressions + [StoredEvent("", f"u{place % 7}", item, "click", 0.0, **about) for item in items[:clicks]]

    place = 0
    for place in range(60):
        shop.watch.happened(shown(place, 1))
    assert shop.after(1.0) == "full"
    for place in range(61, 200):
        shop.watch.happened(shown(place, 0))
        if shop.after(0.1) != "full":
            break
    report = shop.watch.report()
    assert report.ladders[0].rung == "retrieval"
    assert "ctr fell to" in report.ladders[0].moves[-1].reason
    # 140 learned ones are enough evidence for a CTR of a fifth within a hundred impressions or two.
    assert (place - 60) * 5 < 300
    assert report.kpis[0].cells[0].impressions > 300


def test_a_rung_by_hand_stays(shop: Shop) -> None:
    (move,) = shop.watch.force("popular")
    assert (move.kind, shop.ask().rung) == ("forced", "popular")
    assert shop.after(100.0) == "popular"
    assert shop.watch.force(None) == []
    with pytest.raises(ConfigError, match=r"no variant 'b' is served; the variants are main"):
        shop.watch.force("full", "b")


def test_another_bundle_begins_at_the_top(shop: Shop) -> None:
    shop.shuffle()
    assert shop.after(1.0) == "last"
    shop.current.since_s += 1
    # The same bundle once more: it is held against what was right before.
    assert shop.after(0.1) in ("full", "last")
    kinds = [move.kind for move in shop.watch.report().ladders[0].moves]
    assert kinds[:2] == ["fall", "new bundle"]
    assert shop.after(1.0) == "last"


def test_what_is_only_told_moves_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, CONFIG.model_copy(update={"moves": False}))
    shop.shuffle()
    assert shop.after(1.0) == "full"
    assert shop.watch.report().alarm_counts == {("self_check", "step"): 1}


def test_a_full_queue_is_counted_and_blocks_nobody(tmp_path: Path) -> None:
    shop = Shop(tmp_path, CONFIG.model_copy(update={"queue": 3}))
    answer = shop.service.gateway.recommend(Ask(user_id="ann"))
    for _ in range(5):
        shop.watch.answered(answer, 1.0)
    report = shop.watch.report()
    assert report.skipped == 2
    assert report.kpis[0].cells[0].answers == 3


def test_telling_takes_microseconds(shop: Shop) -> None:
    answer = shop.service.gateway.recommend(Ask(user_id="ann"))
    started = time.perf_counter()
    for _ in range(2000):
        shop.watch.answered(answer, 1.0)
    # 20 are allowed; a busy machine is given time.
    assert (time.perf_counter() - started) / 2000 < 100e-6


def test_errors_lead_down(shop: Shop) -> None:
    for _ in range(10):
        shop.watch.failed(300.0)
    assert shop.after(0.1) == "retrieval"
    assert "errors" in shop.watch.report().ladders[0].moves[-1].reason


def test_a_restart_counts_the_events_of_the_store_again(shop: Shop) -> None:
    store = shop.service.state.store
    store.append([StoredEvent(f"e{n}", "ann", "red-boot", "click", 900.0 + 20 * n) for n in range(10)])
    found = refill(shop.watch, store, since_s=950.0, until_s=1000.0, most=1000)
    assert found == 2
    assert shop.watch.report().kpis[0].cells[0].clicks == 2


def test_a_store_that_breaks_leaves_the_figures_empty(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def count(self) -> int:
            raise OSError("disk")

    assert refill(shop.watch, Broken(), since_s=0, until_s=1, most=1) == 0  # type: ignore[arg-type]
    assert "cannot be read" in caplog.text


def test_a_deleted_shopper_is_forgotten(shop: Shop) -> None:
    shop.watch.happened([StoredEvent("", "ann", "red-boot", "impression", 0.0, answer_id="a", rung="full")])
    shop.after(0.1)
    shop.watch.forget("ann")
    assert len(shop.watch._settling) == 0


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    keys = (
        ApiKey.model_validate({"key": "read-key-read-key", "scope": "read"}),
        ApiKey.model_validate({"key": "admin-key-admin-key", "scope": "admin"}),
    )
    config = ServeConfig(access=AccessConfig(keys=keys), watch=CONFIG)
    with TestClient(create_app(small_service(tmp_path, config=config))) as client:
        deadline = time.monotonic() + 20
        while client.get("/readyz").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        yield client


READ, ADMIN = {"X-Api-Key": "read-key-read-key"}, {"X-Api-Key": "admin-key-admin-key"}


def test_the_report_tells_everything_over_http(client: TestClient) -> None:
    answer = client.post("/v1/recommend", json={"user_id": "ann", "k": 3}, headers=READ).json()
    about = {name: answer[name] for name in ("answer_id", "variant", "rung", "model_version")}
    events = [
        {"user_id": "ann", "item_id": item["item_id"], "event": "impression", "device": "phone", **about}
        for item in answer["items"]
    ]
    events.append({**events[0], "event": "click", "dwell_ms": 3000})
    assert client.post("/v1/events", json={"events": events}, headers=READ).json()["stored"] == len(events)
    report = client.get("/v1/health/report", headers=READ).json()
    assert (report["status"], report["skipped"]) == ("well", 0)
    (ladder,) = report["ladders"]
    assert (ladder["rung"], ladder["phase"], ladder["variants"]) == ("full", "steady", ["main"])
    assert set(ladder["signals"]) == {"ctr", "errors", "latency_p95", "score"}
    assert set(report["inputs"]) == {"unknown_items", "empty_context", "new_items"}
    every = report["kpis"][0]["cells"][0]
    assert (every["dimension"], every["impressions"], every["clicks"], every["answers"]) == ("all", 3, 1, 1)
    assert every["ctr"]["value"] == pytest.approx(1 / 3)
    assert {cache["cache"] for cache in report["caches"]} == {"sessions", "explanations"}


def test_only_an_administrator_moves_the_ladder(client: TestClient) -> None:
    assert client.get("/v1/health/report").status_code == 401
    assert client.post("/v1/health/rung", json={"rung": "popular"}, headers=READ).status_code == 403
    moved = client.post("/v1/health/rung", json={"rung": "popular"}, headers=ADMIN).json()
    assert [move["after"] for move in moved["moves"]] == ["popular"]
    answer = client.post("/v1/recommend", json={"user_id": "ann"}, headers=READ).json()
    assert answer["rung"] == "popular"
    assert client.get("/v1/health/report", headers=READ).json()["status"] == "forced"
    unknown = client.post("/v1/health/rung", json={"rung": None, "variant": "b"}, headers=ADMIN)
    assert (unknown.status_code, "no variant 'b'" in unknown.json()["message"]) == (400, True)


def test_the_metrics_show_rung_and_key_figures(client: TestClient) -> None:
    client.post("/v1/recommend", json={"user_id": "ann"}, headers=READ)
    client.get("/v1/health/report", headers=READ)
    text = client.get("/metrics").text
    for line in (
        'trifocal_rung_in_force{variant="main"} 0.0',
        'trifocal_kpi_answers{dimension="all",value="",window_s="60"} 1.0',
        'trifocal_rung_moves_total{kind="fall",variant="main"} 0.0',
        "trifocal_watch_skipped_total 0.0",
    ):
        assert line in text


def test_the_thread_ends_with_the_service(client: TestClient) -> None:
    assert "trifocal-watch" in {thread.name for thread in threading.enumerate()}
    client.__exit__(None, None, None)
    assert "trifocal-watch" not in {thread.name for thread in threading.enumerate()}
