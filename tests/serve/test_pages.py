"""The pages as text: what stands on them, and that nothing on them comes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient
from tests.bundle.small_bundle import WordEncoder, small_contents
from tests.serve.small_service import small_service

from trifocal import columns as c
from trifocal.bundle import read_bundle, write_bundle
from trifocal.feedback import MemoryEventStore
from trifocal.serve import build_service
from trifocal.serve.app import create_app

PAGES = ("/", "/shopper?id=ann", "/item?id=red-lamp&shopper=ann", "/search?q=lamp", "/search", "/docs", "/dashboard")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(small_service(tmp_path)), headers={"accept": "text/html"}) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_pages_need_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', answer.text):
        assert address.startswith(("/", "#"))
    # Inline scripts and styles would be refused by the policy.
    assert "<style" not in answer.text
    assert not re.search(r"<script(?! src=)|style=|onclick=", answer.text)


def test_a_shopper_sees_history_and_recommendations(client: TestClient) -> None:
    page = client.get("/shopper?id=ann").text
    history, recommended = page.split('id="recommended"')
    assert history.index("Blue dress") < history.index("Red dress")
    assert "Bought" in history
    assert "Green dress" in recommended
    assert "Red dress" not in recommended
    assert "Answered by <b>full</b>" in page


def test_a_section_limits_the_recommendations(client: TestClient) -> None:
    recommended = client.get("/shopper?id=ann&section=Home").text.split('id="recommended"')[1]
    assert "lamp" in recommended
    assert "dress" not in recommended.split("</nav>")[1]


def test_the_start_page_offers_known_shoppers(client: TestClient) -> None:
    page = client.get("/").text
    assert 'href="/shopper?id=ann"' in page
    assert "2 things liked" in page
    assert "1 thing liked" in page


def test_somebody_new_gets_an_id_of_their_own(client: TestClient) -> None:
    first, second = (client.get("/visit", follow_redirects=False).headers["location"] for _ in range(2))
    assert re.fullmatch(r"/shopper\?id=visitor-[0-9a-f]{8}", first)
    assert first != second
    assert "A fresh start" in client.get(first).text


def test_an_item_shows_what_is_alike(client: TestClient) -> None:
    page = client.get("/item?id=red-lamp&shopper=ann").text
    assert 'data-item="red-lamp" data-shopper="ann"' in page
    assert "30.00" in page
    assert "/item?id=blue-lamp&amp;shopper=ann" in page
    sold_out = client.get("/item?id=black-lamp").text
    assert "Sold out" in sold_out
    assert "data-event" not in sold_out


def test_search_finds_or_says_so(client: TestClient) -> None:
    assert "Blue boot" in client.get("/search?q=blue+boot").text
    assert "Say what you look for" in client.get("/search?q=+").text


def test_an_unknown_item_is_a_page_too(client: TestClient) -> None:
    answer = client.get("/item?id=hat")
    assert answer.status_code == 404
    assert "Not found" in answer.text
    assert "item &#39;hat&#39; is not among" in answer.text


def test_titles_cannot_break_out(tmp_path: Path) -> None:
    contents = small_contents()
    evil = '"><script>alert(1)</script>'
    items = contents.items.with_columns(pl.lit(evil).alias(c.TITLE), pl.lit(evil).alias(c.CATEGORY))
    write_bundle(replace(contents, items=items), tmp_path / "bundle")
    service = build_service(read_bundle(tmp_path / "bundle"), MemoryEventStore(), encoder=WordEncoder)
    with TestClient(create_app(service)) as client:
        for path in ("/", "/shopper?id=ann", "/item?id=red-lamp", f"/search?q={evil}", f"/shopper?id={evil}"):
            assert "<script>alert" not in client.get(path).text
