"""Pictures of the storefront for the docs: opens a running server in Chromium, writes `docs/images/storefront-*.png`.

    trifocal serve runs/demo-visual-1.0/models/trifocal/bundle --port 8000
    .venv/bin/python scripts/screenshots.py http://localhost:8000 docs/images

Only of the generated sample shop: pictures of other shops are not ours to show.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# So few that a picture stays below 250 kB, so many that photos are not banded.
COLOURS = 200


@dataclass(frozen=True)
class Shot:
    """A page as it is photographed.

    Attributes:
        name: of the file.
        take: opens it, given the page and the address of the server.
        width: of the window, pixels.
        height: of the window, pixels.
        scheme: colours.
    """

    name: str
    take: Callable[[Page, str], None]
    width: int = 1280
    height: int = 860
    scheme: Literal["light", "dark"] = "light"


def shopper(page: Page, address: str) -> None:
    """Open the feed of the first shopper that the start page offers."""
    page.goto(address)
    page.locator(".shoppers a").first.click()


def home(page: Page, address: str) -> None:
    """Click three things as somebody new, and come back."""
    page.goto(address)
    for place in range(3):
        page.goto(address)
        page.locator(".row .to-item, .grid .to-item").nth(place).click()
        page.wait_for_selector("article[data-noted=yes]")
    page.goto(address)


def product(page: Page, address: str) -> None:
    """Open the first item of a shopper's feed."""
    shopper(page, address)
    page.locator(".grid .to-item").first.click()
    page.wait_for_selector("article[data-noted=yes]")


def search(page: Page, address: str) -> None:
    """Search by the picture of an item, and words beside it."""
    shopper(page, address)
    picture = page.request.get(address + (page.locator(".grid img").first.get_attribute("src") or "")).body()
    page.goto(f"{address}/search")
    page.get_by_label("Words beside it").fill("gift")
    page.locator("#picture").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture})
    page.wait_for_selector("#results .asked")


def why(page: Page, address: str) -> None:
    """Ask why the first item of a shopper's feed is there."""
    shopper(page, address)
    page.locator(".grid a.why").first.click()
    page.wait_for_selector("dialog[data-told=yes]")


def compare(page: Page, address: str) -> None:
    """Hold the models against each other for a shopper."""
    page.goto(f"{address}/compare")
    page.get_by_label("Shoppers to compare for").get_by_role("link").nth(1).click()


SHOTS = (
    Shot("storefront-home", home),
    Shot("storefront-product", product),
    Shot("storefront-search", search),
    Shot("storefront-why", why),
    Shot("storefront-compare", compare),
    Shot("storefront-phone-dark", home, width=390, height=844, scheme="dark"),
)


def photographed(browser: Browser, shot: Shot, address: str) -> bytes:
    """Return the PNG of `shot`, of few colours."""
    page = browser.new_page(viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.scheme)
    shot.take(page, address)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelector('.toast').hidden = true")
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    written = io.BytesIO()
    taken.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()


def main(address: str, folder: Path) -> None:
    """Write all pictures into `folder`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for shot in SHOTS:
            picture = photographed(browser, shot, address.rstrip("/"))
            (folder / f"{shot.name}.png").write_bytes(picture)
            sys.stdout.write(f"{shot.name}: {len(picture) / 1000:.0f} kB\n")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
