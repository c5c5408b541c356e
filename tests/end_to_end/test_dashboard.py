"""The dashboard in a real browser: figures live, a rollback that needs a key, light and dark, phone, no error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page
from pydantic import SecretStr
from tests.bundle.small_bundle import WordEncoder, draw_pictures, small_contents
from tests.end_to_end.live_pages import CHROMIUM, chromium, running

from trifocal import columns as c
from trifocal.bundle import read_bundle, write_bundle
from trifocal.feedback import MemoryEventStore
from trifocal.serve import ServeConfig, Service, build_service
from trifocal.serve.access_config import AccessConfig, ApiKey
from trifocal.serve.app import create_app
from trifocal.serve.live.config import LiveConfig
from trifocal.serve.watch.config import WatchConfig

READ, ADMIN = "read" * 5, "admin" * 4

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's Chromium is not installed"),
]

Opened = Callable[..., Page]


def app_of(folder: Path) -> FastAPI:
    """Return a server with keys and two bundles, `a` in force; its figures are counted often."""
    draw_pictures(folder / "pictures")
    for name in ("a", "b"):
        contents = small_contents(folder / "pictures")
        ids = pl.Series(c.ITEM_ID, [f"only-{name}", *contents.items[c.ITEM_ID].to_list()[1:]])
        metrics = {"ndcg@10": 0.125, "recall@20": 0.25}
        write_bundle(
            replace(contents, items=contents.items.with_columns(ids), metrics=metrics), folder / "bundles" / name
        )
    config = ServeConfig(
        limit_ms=60_000,
        access=AccessConfig(
            keys=(ApiKey(scope="read", key=SecretStr(READ)), ApiKey(scope="admin", key=SecretStr(ADMIN))),
            metrics=False,
        ),
        live=LiveConfig(bundles=str(folder / "bundles"), history_file=str(folder / "served.json")),
        watch=WatchConfig(tick_s=0.02, course_s=0.2, catalogue_s=0.1),
    )
    store = MemoryEventStore()

    def load(bundle: Path) -> Service:
        return build_service(read_bundle(bundle), store, encoder=WordEncoder, config=config)

    return create_app(load(folder / "bundles" / "a"), load=load)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(app_of(tmp_path_factory.mktemp("dashboard"))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Opened]:
    """Open the dashboard with a key that reads; whatever the console says of it fails the test."""
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(*, width: int = 1280, scheme: Any = "light", key: str = READ) -> Page:
        # axe is put into the page, which its policy would not let in.
        viewport: Any = {"width": width, "height": 900}
        context = browser.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}/dashboard")
        if key:
            page.get_by_label("API key", exact=True).fill(key)
            page.get_by_role("button", name="Use it").click()
            page.locator("#state", has_text=re.compile("Everything is well|On a lower rung")).wait_for()
            page.locator("#bundles td").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A refused request is an error of the console, whatever a page does; each is looked for in its test.
    assert [fault for fault in faults if "status of 401" not in fault and "status of 403" not in fault] == []


def ask(page: Page, address: str, path: str, body: dict[str, Any], key: str = READ) -> None:
    answer = page.request.post(f"{address}{path}", data=body, headers={"x-api-key": key})
    assert answer.ok, answer.text()


def shown(page: Page, name: str) -> str:
    return page.locator("#tiles li", has_text=name).locator("b").inner_text()


def test_figures_appear_and_change_while_one_looks(opened: Opened, address: str) -> None:
    page = opened()
    page.evaluate(
        "new PerformanceObserver((list) => { for (const each of list.getEntries()) if (!each.hadRecentInput) "
        "window.jumped = (window.jumped || 0) + each.value; }).observe({ type: 'layout-shift' })"
    )
    before = shown(page, "Impressions")
    for number in range(3):
        event = {"event_id": f"seen-{number}", "user_id": "ann", "item_id": "red-lamp", "event": "impression"}
        ask(page, address, "/v1/events", {"events": [event]})
        ask(page, address, "/v1/recommend", {"user_id": "ann", "k": 2 + number})
    page.wait_for_function("(text) => document.querySelector('#tiles').innerText.includes(text)", arg="Impressions\n3")
    assert before in ("–", "0")
    assert shown(page, "Click rate") == "0.00 %"
    page.locator("#stage-table th", has_text="whole request").wait_for()
    # 12 items, 11 on offer; the second picture is broken, and the first was never drawn.
    assert page.locator("#catalogue-tiles li", has_text="Broken pictures").locator("b").inner_text() == "2"
    told = page.locator("#chart-fallen desc").evaluate("(desc) => desc.textContent")
    assert "main: 0 % now" in told
    page.locator("#course-details summary").click()
    page.locator("#course-table tbody tr").first.wait_for()
    assert page.evaluate("window.jumped || 0") < 0.02


def test_a_rollback_needs_a_key_and_swaps(opened: Opened, address: str) -> None:
    page = opened()
    assert page.get_by_role("button", name="Roll back …").is_disabled()
    ask(page, address, "/v1/bundle", {"path": "b"}, ADMIN)
    page.wait_for_function("document.querySelectorAll('#bundles tbody tr').length === 2", timeout=10_000)
    in_force = page.locator("#bundles tbody tr").first.locator("th").inner_text()
    page.get_by_role("button", name="Roll back …").click()
    dialog = page.get_by_role("dialog")
    for key, says in (("", "needs the API key of an administrator"), ("wrong", "not known"), (READ, "needs `admin`")):
        dialog.get_by_label("API key of an administrator").fill(key)
        page.keyboard.press("Enter")
        dialog.get_by_role("alert").filter(has_text=says).wait_for()
        assert dialog.get_by_role("alert").filter(has_text="Nothing was changed").is_visible()
    assert page.locator("#bundles tbody tr").first.locator("th").inner_text() == in_force
    dialog.get_by_label("API key of an administrator").fill(ADMIN)
    dialog.get_by_role("button", name="Roll back").click()
    page.locator("#bundle-result", has_text="is in force").wait_for()
    row = page.locator("#bundles tbody tr").first.inner_text()
    assert in_force not in row
    assert "rollback" in row
    assert "0.125" in row
    assert page.locator("#ask-key").input_value() == ""
    assert ADMIN not in page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")


def test_without_a_key_it_says_so_and_asks_nothing(opened: Opened) -> None:
    page = opened(key="")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)
    page.locator("#state", has_text="Give an API key that may read").wait_for()
    page.wait_for_timeout(300)
    assert asked == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_everybody_can_use_it(opened: Opened, width: int, scheme: str) -> None:
    page = opened(width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page).response["violations"]
    faults = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]
    assert faults == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 128) == (scheme == "dark")
