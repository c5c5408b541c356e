"""Users who are deleted: nothing that they did bears on an answer, now or after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from tests.serve.live.app import live_client

from trifocal.feedback import MemoryEventStore
from trifocal.feedback.sql import SqlItemStore


def items(client: TestClient, user_id: str) -> Any:
    return client.post("/v1/recommend", json={"user_id": user_id, "k": 12}).json()["items"]


def test_a_deleted_user_is_a_stranger(tmp_path: Path) -> None:
    store = SqlItemStore(tmp_path / "events.sqlite")
    with live_client(tmp_path, MemoryEventStore(), store) as client:
        client.post("/v1/events", json={"events": [{"user_id": "ann", "item_id": "red-lamp", "event": "purchase"}]})
        cold = items(client, "nobody")
        assert items(client, "ann") != cold
        # One event of the store, three liked ones of the bundle.
        gone = client.delete("/v1/users/ann").json()
        assert gone == {"user_id": "ann", "events": 4, "caches": True, "durable": True}
        assert items(client, "ann") == cold
        assert client.delete("/v1/users/ann").json()["events"] == 0
        # Whoever comes back under the same id is somebody new.
        client.post("/v1/events", json={"events": [{"user_id": "ann", "item_id": "red-boot", "event": "purchase"}]})
        assert "red-boot" not in [item["item_id"] for item in items(client, "ann")]
        assert "red-dress" in [item["item_id"] for item in items(client, "ann")]
    store.close()
    again = SqlItemStore(tmp_path / "events.sqlite")
    with live_client(tmp_path, items=again) as client:
        assert items(client, "ann") == cold
    again.close()
