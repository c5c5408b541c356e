"""The small bundle over HTTP, with everything that may change while it runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from PIL import Image
from tests.bundle.small_bundle import WordEncoder, draw_pictures
from tests.serve.small_service import NOW_S, small_bundle

from trifocal.bundle import read_bundle
from trifocal.feedback import MemoryEventStore
from trifocal.ports import EventStore, ItemStore
from trifocal.serve import build_service
from trifocal.serve.app import create_app


@contextmanager
def live_client(folder: Path, store: EventStore | None = None, items: ItemStore | None = None) -> Iterator[TestClient]:
    """Give a client of the small service with pictures."""
    if not (folder / "bundle").exists():
        draw_pictures(folder / "pictures")
        small_bundle(folder)
    events = store or MemoryEventStore()
    service = build_service(read_bundle(folder / "bundle"), events, encoder=WordEncoder, clock=lambda: NOW_S)
    app = create_app(service, items=items)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def ids(answer: Any) -> list[str]:
    """Return the ids of a list that was answered."""
    body = answer.json()
    assert answer.status_code == 200, body
    return [item["item_id"] for item in body["items"]]


def png(colour: str = "red", size: int = 32) -> bytes:
    """Return the bytes of a picture."""
    file = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(file, "PNG")
    return file.getvalue()
