"""The storefront in a real browser: search, upload, clicks that change it, reasons, models, dark, phone, axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, Page, expect
from tests.bundle.small_bundle import COLOURS, WordEncoder, draw_pictures, small_contents
from tests.end_to_end.live_pages import CHROMIUM, chromium, running
from tests.serve.explaining.fake_explainer import FakeSource
from tests.serve.test_picture_search import RGB, MeanColour, picture

from trifocal.bundle import read_bundle, write_bundle
from trifocal.bundle.network import compact_weights
from trifocal.features.compact import CompactProjection
from trifocal.feedback import MemoryEventStore
from trifocal.serve import ServeConfig, Service, build_service
from trifocal.serve.app import create_app
from trifocal.serve.storefront.config import ComparedConfig, StorefrontConfig

PATHS = (
    "/",
    "/shopper?id=ann",
    "/item?id=green-dress&shopper=ann",
    "/search?q=lamp",
    "/why?item=green-dress&shopper=ann",
    "/compare?shopper=ann",
)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's Chromium is not installed"),
]


STORE = MemoryEventStore()


def shop(folder: Path) -> Service:
    """The small shop whose items look like their colours, with reasons that are made up and its twin beside it."""
    projection = CompactProjection(np.full(3, 90, np.float32), np.eye(3, dtype=np.float32))
    looks = projection.vectors(np.array([RGB[colour] for colour in COLOURS for _ in range(3)], np.float32) + 1e-3)
    weights = {"evidence.image": torch.from_numpy(looks)} | compact_weights({"image": projection})
    draw_pictures(folder / "pictures")
    write_bundle(replace(small_contents(folder / "pictures"), weights=weights), folder / "bundle")
    beside = StorefrontConfig(compare_with=(ComparedConfig(name="Twin", bundle=str(folder / "bundle")),))
    return build_service(
        read_bundle(folder / "bundle"),
        STORE,
        encoder=WordEncoder,
        image_encoder=MeanColour,
        explaining=FakeSource(),
        config=ServeConfig(storefront=beside, limit_ms=60_000, explain_ms=60_000),
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(create_app(shop(tmp_path_factory.mktemp("storefront")))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a visitor of its own, on which any error of the console or a script fails the test."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def click_through(page: Page, title: str) -> None:
    """Open the item that is called `title`, and wait until the click is noted."""
    page.locator(".to-item", has_text=title).first.click()
    page.wait_for_selector("article[data-noted=yes]")


def test_a_click_changes_what_comes_next(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Popular in Home")).to_be_visible()
    before = page.locator("[data-part]").count()
    click_through(page, "Red lamp")
    # The shelf on the same page follows the click without a reload.
    page.wait_for_selector("[data-part][data-fresh=yes]")
    expect(page.locator("[data-part] .after")).to_contain_text("Updated after your last click: Red lamp (viewed)")
    page.get_by_role("button", name="Add to bag").click()
    expect(page.locator("[data-part] .after")).to_contain_text("Red lamp (in bag)")
    page.get_by_role("link", name="See what comes next").click()
    expect(page.get_by_role("heading", name="Next for you")).to_be_visible()
    assert set(page.locator(".grid .name").all_inner_texts()[:2]) == {"Blue lamp", "Green lamp"}
    assert before == 0


def test_what_is_seen_and_clicked_carries_its_answer_back(page: Page, address: str) -> None:
    page.goto(f"{address}/shopper?id=ben")
    click_through(page, "Blue boot")
    page.reload()
    page.wait_for_selector("article[data-noted=yes]")
    stored = [event for event in STORE.newest("ben", 100) if event.item_id == "blue-boot"]
    # Seen on the list, once; clicked once, also by who loads the page again.
    seen = next(event for event in stored if event.event == "impression" and event.position)
    (click,) = [event for event in stored if event.event == "click"]
    assert (click.answer_id, click.model_version, click.variant) == (seen.answer_id, seen.model_version, seen.variant)
    assert (click.position, click.propensity, click.rung) == (seen.position, 1.0, "full")


def test_a_search_by_words_by_a_picture_and_by_both(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Search the shop").fill("blue boot")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=blue+boot*")
    assert page.locator("#results .name").first.inner_text() == "Blue boot"
    page.goto(address)
    page.get_by_role("link", name="Search by a picture").click()
    upload = FilePayload(name="mine.png", mimeType="image/png", buffer=picture("green", size=(900, 600)))
    page.get_by_label("Choose a picture").set_input_files([upload])
    expect(page.locator("#results .asked img")).to_be_visible()
    expect(page.locator(".preview")).to_be_visible()
    assert all("Green" in name for name in page.locator("#results .name").all_inner_texts()[:3])
    page.get_by_label("Words beside it").fill("lamp")
    page.get_by_role("button", name="Search", exact=True).last.click()
    expect(page.locator("#results figcaption")).to_contain_text("fits “lamp”")
    assert page.locator("#results .name").first.inner_text() == "Green lamp"
    # Who comes back from an item finds what was searched.
    click_through(page, "Green lamp")
    page.go_back()
    expect(page.locator("#results .name").first).to_have_text("Green lamp")


def test_the_reasons_open_and_close_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/shopper?id=ann")
    link = page.get_by_role("link", name=re.compile("Why this.*Green dress"))
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Why Green dress?")).to_be_visible()
    assert page.locator(".heat rect").count() > 0
    assert dialog.locator("mark").count() > 0
    assert re.search(r"\d %", dialog.locator(".shares").inner_text())
    expect(dialog.locator(".nearest")).to_contain_text("dress")
    for _ in range(6):
        page.keyboard.press("Tab")
        inside = page.evaluate("!document.activeElement.closest('main, header, footer')")
        assert inside
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert link.evaluate("link => link === document.activeElement")


def test_models_stand_side_by_side(page: Page, address: str) -> None:
    page.goto(f"{address}/compare?shopper=ann")
    assert page.locator(".column h2").all_inner_texts() == ["Nearest", "Twin", "ALS", "Popular"]
    twin = page.locator(".column").nth(1)
    expect(twin.locator(".kind").first).to_have_text("8 of 8 shared with Nearest")
    assert "also Nearest" in twin.locator(".chip").first.inner_text()


@pytest.mark.parametrize("path", PATHS)
def test_each_page_fits_a_phone_and_passes_axe_in_light_and_dark(page: Page, address: str, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    grounds = set()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    assert len(grounds) == 2


def test_the_open_reasons_pass_axe(page: Page, address: str) -> None:
    page.goto(f"{address}/shopper?id=ann")
    page.locator("a.why").first.click()
    page.wait_for_selector("dialog[data-told=yes]")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_the_shop_works_without_a_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.locator(".to-item", has_text="Red lamp").first.click()
    page.get_by_role("button", name="Buy now").click()
    page.get_by_role("link", name="See what comes next").click()
    assert set(page.locator(".grid .name").all_inner_texts()[:2]) == {"Blue lamp", "Green lamp"}
    page.locator("a.why").first.click()
    expect(page.get_by_role("heading", name=re.compile("Why .* lamp?"))).to_be_visible()
    page.goto(f"{address}/search")
    upload = FilePayload(name="mine.png", mimeType="image/png", buffer=picture("blue"))
    page.get_by_label("Choose a picture").set_input_files([upload])
    page.get_by_role("button", name="Search", exact=True).last.click()
    assert "Blue" in page.locator("#results .name").first.inner_text()
    context.close()
