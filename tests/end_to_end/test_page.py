"""The shop in a real browser: pictures load, nothing scrolls sideways, no error, a click changes what comes next."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request
from tests.bundle.small_bundle import draw_pictures
from tests.end_to_end.live_pages import CHROMIUM, chromium, running
from tests.serve.small_service import small_service

from trifocal.serve.app import create_app

PATHS = (
    "/",
    "/shopper?id=ann",
    "/item?id=green-dress&shopper=guest",
    "/search?q=lamp",
    "/docs",
    "/visit",
    "/dashboard",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's Chromium is not installed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    draw_pictures(folder / "pictures")
    with running(create_app(small_service(folder))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def is_fault(failed: Request) -> bool:
    """Whoever follows a link breaks off what is still loading, the icon above all; what they did must arrive."""
    broken_off = failed.failure == "net::ERR_ABORTED"
    # A beacon outlives its page, which hears no answer.
    return not broken_off or ("/v1/" in failed.url and failed.resource_type != "ping")


@pytest.fixture(params=[390, 1280])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of that width on which any error of the console or a script fails the test."""
    faults: list[str] = []
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda failed: faults.append(failed.url) if is_fault(failed) else None)
    yield page
    page.close()
    assert faults == []


def test_every_page_fits_and_its_pictures_load(page: Page, address: str) -> None:
    for path in PATHS:
        page.goto(address + path)
        # Pictures further down load when they come into view.
        page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
        page.wait_for_load_state("networkidle")
        widths = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
        assert all(width > 0 for width in widths), path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        assert page.evaluate("[...document.images].every((image) => image.hasAttribute('alt'))"), path


def test_the_shopper_page_shows_pictures(page: Page, address: str) -> None:
    page.goto(f"{address}/shopper?id=ann")
    assert page.locator(".strip img").count() == 2
    assert page.locator(".grid img").count() == 9


def test_search_finds_what_was_typed(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Search the shop").fill("blue boot")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=blue+boot*")
    assert page.locator(".grid .name").first.inner_text() == "Blue boot"


def test_a_card_leads_to_similar_items_and_a_purchase_to_new_recommendations(page: Page, address: str) -> None:
    page.goto(f"{address}/visit")
    page.locator(".card a", has_text="Red lamp").click()
    page.wait_for_selector("article[data-noted=yes]")
    similar = page.get_by_label("Similar items").last.locator(".name").all_inner_texts()
    assert set(similar[:2]) == {"Blue lamp", "Green lamp"}
    page.get_by_role("button", name="Buy").click()
    page.get_by_role("link", name="See what comes next").click()
    page.wait_for_url(f"{address}/")
    assert page.locator(".strip .tag").first.inner_text() == "Bought"
    assert page.locator(".grid .name").first.inner_text() in ("Blue lamp", "Green lamp")


def test_the_dashboard_shows_what_happens_and_moves_the_ladder(page: Page, address: str) -> None:
    for number in range(3):
        page.request.post(f"{address}/v1/recommend", data={"user_id": "ann", "k": 2 + number})
    event = {"event_id": f"seen-{page.viewport_size}", "user_id": "ann", "item_id": "red-lamp", "event": "impression"}
    page.request.post(f"{address}/v1/events", data={"events": [event]})
    page.goto(f"{address}/dashboard")
    page.locator("#state", has_text=re.compile("On a lower rung|Everything is well")).wait_for()
    page.locator("#tiles li", has_text="Impressions").wait_for()
    shown = page.locator("#tiles li", has_text="Impressions").locator("b").inner_text()
    assert int(shown) >= 1
    page.get_by_label("Put in force").select_option("popular")
    page.get_by_role("button", name="Do it").click()
    page.locator("#state", has_text="A rung is forced by hand").wait_for()
    assert page.locator(".rungs [aria-current]").inner_text().startswith("popular")
    answer = page.request.post(f"{address}/v1/recommend", data={"user_id": "ann", "k": 9}).json()
    assert answer["rung"] == "popular"
    page.get_by_label("Put in force").select_option("automatic")
    page.get_by_role("button", name="Do it").click()
    # It decides again, and climbs rung by rung.
    page.locator("#state", has_text=re.compile("On a lower rung|Everything is well")).wait_for()
    assert page.locator("#moves li").count() >= 1


def test_the_keyboard_reaches_everything(page: Page, address: str) -> None:
    page.goto(f"{address}/shopper?id=ann")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").strip())
    assert reached[0] == "Skip to content"
    assert "q" in reached
    assert any("Blue dress" in text for text in reached)


def test_dark_and_light_differ(browser: Browser, address: str) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(address)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(grounds) == 2
