"""How whole the small shop is: what is missing, broken, never recommended, new; and over HTTP."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient
from tests.bundle.small_bundle import WordEncoder, draw_pictures, small_contents
from tests.serve.small_service import NOW_S, small_service

from trifocal import columns as c
from trifocal.bundle import read_bundle, write_bundle
from trifocal.feedback import MemoryEventStore, MemoryItemStore
from trifocal.ports import StoredItem
from trifocal.serve import ServeConfig, Service, build_service
from trifocal.serve.app import create_app
from trifocal.serve.current import Current
from trifocal.serve.live.items import LiveItems
from trifocal.serve.watch.catalogue_health import DAY_S, CatalogueHealth, CatalogueLook, NewItem
from trifocal.serve.watch.config import WatchConfig

CREATED_S = datetime(2024, 1, 1, tzinfo=UTC).timestamp()


def service_with_gaps(folder: Path) -> Service:
    """Twelve items: the first has no title and no price, the second neither texts nor picture, the rest are whole."""
    contents = small_contents(folder / "pictures")
    draw_pictures(folder / "pictures")
    (folder / "pictures" / "black-lamp.png").unlink()
    items = contents.items.with_row_index("row").with_columns(
        pl.when(pl.col("row") <= 1).then(None).otherwise(pl.col(c.TITLE)).alias(c.TITLE),
        pl.when(pl.col("row") == 1).then(None).otherwise(pl.col(c.DESCRIPTION)).alias(c.DESCRIPTION),
        pl.when(pl.col("row") == 0).then(None).otherwise(pl.col(c.PRICE)).alias(c.PRICE),
        pl.when(pl.col("row") == 1).then(None).otherwise(pl.col(c.IMAGE)).alias(c.IMAGE),
    )
    write_bundle(replace(contents, items=items.drop("row")), folder / "bundle")
    return build_service(read_bundle(folder / "bundle"), MemoryEventStore(), encoder=WordEncoder, clock=lambda: NOW_S)


def looked(service: Service, now_s: float, look: CatalogueLook | None = None) -> CatalogueHealth:
    look = look or CatalogueLook(every_s=30.0, again_s=3600.0)
    look.learn(service)
    look.look(service, now_s)
    return look.health


def test_what_is_missing_and_broken_is_counted(tmp_path: Path) -> None:
    health = looked(service_with_gaps(tmp_path), CREATED_S + 2 * DAY_S)
    assert (health.items, health.sold_out) == (12, 1)
    assert health.lacking == {"title": 2, "description": 1, "text": 1, "category": 0, "price": 1, "picture": 1}
    # Of the eleven that name a picture the first and the last have no file.
    assert (health.pictures_checked, health.pictures_broken) == (11, 2)
    assert (health.recommended, health.never_recommended) == (0, 11)
    assert health.new_day == 0
    assert health.newest is not None
    assert health.newest.at_s == CREATED_S


def test_items_of_the_last_day_are_new(tmp_path: Path) -> None:
    assert looked(service_with_gaps(tmp_path), CREATED_S + DAY_S - 1).new_day == 12


def test_answers_are_remembered_and_counts_wait_until_they_are_due(tmp_path: Path) -> None:
    service, look = service_with_gaps(tmp_path), CatalogueLook(every_s=30.0, again_s=3600.0)
    looked(service, 1000.0, look)
    look.recommended(["blue-boot", "blue-boot", "green-lamp", "unknown"], service.catalogue)
    look.look(service, 1029.0)
    assert look.health.at_s == 1000.0
    look.look(service, 1030.0)
    assert (look.health.recommended, look.health.never_recommended) == (2, 9)


def test_pictures_are_looked_at_again_after_a_while_or_a_change(tmp_path: Path) -> None:
    service, look = service_with_gaps(tmp_path), CatalogueLook(every_s=0.0, again_s=3600.0)
    looked(service, 1000.0, look)
    (tmp_path / "pictures" / "blue-dress.png").unlink()
    look.look(service, 1001.0)
    assert look.health.pictures_broken == 2
    look.look(service, 5000.0)
    assert look.health.pictures_broken == 3


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    draw_pictures(tmp_path / "pictures")
    config = ServeConfig(watch=WatchConfig(tick_s=0.01, catalogue_s=0.01, course_s=0.01))
    return TestClient(create_app(small_service(tmp_path, config=config)))


def test_an_item_that_joins_is_the_newest(client: TestClient) -> None:
    with client:
        until(client, lambda _health: True)
        wanted = {"item_id": "n1", "title": "Red lamp"}
        assert client.put("/v1/items/n1", json={"title": "Red lamp"}).status_code in (200, 201)
        health = until(client, lambda health: (health["newest"] or {}).get("item_id") == "n1")
        assert wanted.items() <= health["newest"].items()
        assert (health["items"], health["new_day"]) == (13, 1)
        client.delete("/v1/items/n1")
        health = until(client, lambda health: health["items"] == 12)
        assert health["newest"]["item_id"] != "n1"


def test_answers_and_the_course_are_told_over_http(client: TestClient) -> None:
    with client:
        client.post("/v1/recommend", json={"user_id": "ann", "k": 4})
        assert until(client, lambda health: health["recommended"] > 0)["recommended"] == 4
        course = client.get("/v1/health/course").json()
        assert (course["window_s"], course["points"][0]["variant"], course["points"][0]["rung"]) == (300, "", "full")
        last = course["points"][-1]["at_s"]
        assert client.get("/v1/health/course", params={"since_s": last + 60}).json()["points"] == []


def test_nothing_is_told_where_nobody_watches(tmp_path: Path) -> None:
    config = ServeConfig(watch=WatchConfig(enabled=False))
    with TestClient(create_app(small_service(tmp_path, config=config))) as client:
        assert client.get("/v1/health/catalogue").json()["health"] is None
        assert client.get("/v1/health/course").json()["points"] == []


def test_a_bundle_without_times_knows_no_newest_item(tmp_path: Path) -> None:
    contents = small_contents()
    write_bundle(replace(contents, items=contents.items.drop(c.CREATED_AT)), tmp_path / "bundle")
    service = build_service(read_bundle(tmp_path / "bundle"), MemoryEventStore(), encoder=WordEncoder)
    health = looked(service, 1000.0)
    assert (health.newest, health.new_day) == (None, 0)


def test_an_item_that_was_put_before_the_start_has_no_time(tmp_path: Path) -> None:
    current = Current(small_service(tmp_path))
    LiveItems(current, MemoryItemStore()).put(StoredItem("n1", "Red lamp"))
    health = looked(current.service, 1000.0)
    assert (health.newest, health.items) == (NewItem("n1", "Red lamp", None), 13)


def until(client: TestClient, wanted, most_s: float = 5.0) -> dict:  # type: ignore[no-untyped-def,type-arg]
    end = time.monotonic() + most_s
    while True:
        health = client.get("/v1/health/catalogue").json()["health"]
        if health is not None and wanted(health):
            return dict(health)
        assert time.monotonic() < end, health
        time.sleep(0.01)
