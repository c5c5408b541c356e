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

PAGES = (
    "/",
    "/shopper?id=ann",
    "/item?id=red-lamp&shopper=ann",
    "/search?q=lamp",
    "/search",
    "/why?item=green-dress&shopper=ann",
    "/compare?shopper=ann",
    "/docs",
    "/dashboard",
)
# Of the first page, all that is not a picture.
MOST_BYTES = 300_000


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(small_service(tmp_path)), headers={"accept": "text/html"}) as client:
        yield client


def names(page: str) -> list[str]:
    return re.findall(r'<span class="name">([^<]*)</span>', page)


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


@pytest.mark.parametrize("path", ["/", "/shopper?id=ann"])
def test_the_first_page_is_light(client: TestClient, path: str) -> None:
    page = client.get(path)
    parts = set(re.findall(r'(?:src|href)="(/static/[^"]*)"', page.text))
    assert {"/static/style.css", "/static/shop.css", "/static/page.js"} <= parts
    assert len(page.content) + sum(len(client.get(part).content) for part in parts) < MOST_BYTES


def test_a_stranger_sees_sections_and_becomes_a_visitor(client: TestClient) -> None:
    first = client.get("/")
    assert re.search(r"Popular in Fashion.*Popular in Home", first.text, re.DOTALL)
    assert "Red dress" in first.text
    visitor = client.cookies["visitor"]
    assert re.fullmatch(r"visitor-[0-9a-f]{16}", visitor)
    assert f'data-visitor="{visitor}"' in first.text
    assert "set-cookie" not in client.get("/").headers


def test_a_click_changes_the_feed_and_the_page_says_so(client: TestClient) -> None:
    client.get("/")
    event = {"user_id": client.cookies["visitor"], "item_id": "red-lamp", "event": "click"}
    assert client.post("/v1/events", json={"events": [event]}).status_code == 200
    page = client.get("/").text
    assert "Updated after your last click: <b>Red lamp</b> (viewed)" in page
    assert set(names(page)[:2]) == {"Blue lamp", "Green lamp"}
    part = client.get("/next").text
    assert names(part)[:2] == names(page)[:2]
    assert "<html" not in part


@pytest.mark.parametrize("cookie", ["ann", "visitor-1", "visitor-" + "0" * 17, ""])
def test_a_cookie_names_nobody_but_visitors(client: TestClient, cookie: str) -> None:
    client.cookies.set("visitor", cookie)
    page = client.get("/")
    assert re.search(r'data-visitor="visitor-[0-9a-f]{16}"', page.text)
    assert "visitor-" in page.headers["set-cookie"]


def test_a_shopper_sees_recommendations_and_history(client: TestClient) -> None:
    page = client.get("/shopper?id=ann").text
    recommended, history = page.split('id="history"')
    assert "Green dress" in recommended
    assert names(history)[:2] == ["Blue dress", "Red dress"]
    assert "Bought" in history
    assert "Red dress" not in names(recommended)
    assert "Answered by <b>full</b>" in page
    assert "You look over the shoulder of <b>ann</b>" in page


def test_a_section_limits_the_recommendations(client: TestClient) -> None:
    recommended = client.get("/shopper?id=ann&section=Home").text.split('id="recommended"')[1].split('id="history"')[0]
    assert "lamp" in recommended
    assert "dress" not in recommended.split("</h1>")[1].split("<ul")[1]


def test_a_list_ends_and_says_so(client: TestClient) -> None:
    # Nine are left of twelve: two were taken, one is sold out.
    assert len(names(client.get("/shopper?id=ann").text.split('id="history"')[0])) == 9
    assert "data-more" not in client.get("/shopper?id=ann").text
    assert "Nothing is left" in client.get("/shopper?id=ann&page=2").text
    assert client.get("/shopper?id=ann&page=6").status_code == 422


def test_the_start_page_offers_known_shoppers(client: TestClient) -> None:
    page = client.get("/").text
    assert 'href="/shopper?id=ann"' in page
    assert "2 things liked" in page
    assert "1 thing liked" in page


def test_somebody_new_gets_an_id_of_their_own(client: TestClient) -> None:
    ids = []
    for _ in range(2):
        answer = client.get("/visit", follow_redirects=False)
        assert answer.headers["location"] == "/"
        ids.append(client.cookies["visitor"])
    assert ids[0] != ids[1]


def test_an_item_shows_what_is_alike(client: TestClient) -> None:
    page = client.get("/item?id=red-lamp&shopper=ann").text
    assert 'data-item="red-lamp"' in page
    assert 'data-visitor="ann"' in page
    assert "30.00" in page
    assert "/item?id=blue-lamp&amp;shopper=ann" in page
    sold_out = client.get("/item?id=black-lamp").text
    assert "Sold out" in sold_out
    assert "data-event" not in sold_out


def test_the_buttons_work_without_a_script(client: TestClient) -> None:
    client.get("/")
    answer = client.post("/act", data={"item": "red-lamp", "event": "purchase"})
    assert answer.status_code == 200
    assert "Bought." in answer.text
    history = client.get("/").text.split('id="history"')[1]
    assert names(history)[:1] == ["Red lamp"]
    assert "Bought" in history


@pytest.mark.parametrize(
    ("fields", "headers", "status", "message"),
    [
        ({"item": "red-lamp", "event": "rating"}, {}, 400, "says &#39;rating&#39;, it may say cart or purchase"),
        ({"item": "hat", "event": "cart"}, {}, 404, "item &#39;hat&#39; is not among"),
        ({"item": "red-lamp", "event": "cart"}, {"sec-fetch-site": "cross-site"}, 403, "from another site"),
        ({"item": "red-lamp", "event": "cart", "shopper": "x" * 201}, {}, 400, "send it from an item"),
    ],
)
def test_a_wrong_form_is_refused(
    client: TestClient, fields: dict[str, str], headers: dict[str, str], status: int, message: str
) -> None:
    answer = client.post("/act", data=fields, headers=headers)
    assert answer.status_code == status
    assert message in answer.text


def test_search_finds_or_says_so(client: TestClient) -> None:
    assert names(client.get("/search?q=blue+boot").text)[0] == "Blue boot"
    assert "Say what you look for" in client.get("/search?q=+").text


def test_a_picture_that_cannot_be_compared_is_told(client: TestClient, tmp_path: Path) -> None:
    picture = tmp_path / "red.png"
    _draw(picture)
    with picture.open("rb") as file:
        alone = client.post("/search?part=1", files={"picture": file})
    with picture.open("rb") as file:
        both = client.post("/search", data={"q": "blue boot"}, files={"picture": file})
    assert "Pictures cannot be compared here" in alone.text
    assert "<html" not in alone.text
    assert "The picture was ignored" in both.text
    assert names(both.text)[0] == "Blue boot"
    assert 'src="data:image/jpeg;base64,' in both.text


def test_why_is_told_in_words(client: TestClient) -> None:
    whole = client.get("/why?item=green-dress&shopper=ann").text
    assert "<h1" in whole
    assert "Why Green dress?" in whole
    assert 'href="/item?id=blue-dress&amp;shopper=ann"' in whole
    part = client.get("/why?item=green-dress&shopper=ann&part=1").text
    assert part.startswith('<div class="reasons">')
    assert "beside Red lamp" in client.get("/why?item=blue-lamp&like=red-lamp&rung=vectors").text
    assert "for the search “lamp”" in client.get("/why?item=blue-lamp&q=lamp&rung=text").text
    assert client.get("/why?item=hat").status_code == 404


def test_models_stand_side_by_side(client: TestClient) -> None:
    page = client.get("/compare?shopper=ann").text
    assert re.findall(r'<h2 id="name-\d">([^<]*)</h2>', page) == ["Nearest", "ALS", "Popular"]
    first, _, popular = page.split('class="column"')[1:]
    assert names(first)[0] in ("Green dress", "Black dress")
    # What is cheap is popular, and what ann took is left out everywhere.
    assert names(popular)[:3] == ["Red boot", "Red lamp", "Blue boot"]
    assert "also" in popular


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
    paths = (
        "/",
        "/shopper?id=ann",
        "/item?id=red-lamp",
        f"/search?q={evil}",
        f"/shopper?id={evil}",
        "/compare?shopper=ann",
        f"/why?item=green-dress&shopper=ann&q={evil}",
        "/why?item=green-dress&shopper=ann",
    )
    with TestClient(create_app(service)) as client:
        for path in paths:
            assert "<script>alert" not in client.get(path).text


def _draw(path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (600, 400), "red").save(path)
