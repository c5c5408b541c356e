"""A page of each kind in a real browser: axe-core finds nothing serious, nothing scrolls sideways, print holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from tests.evaluate import many
from tests.evaluate.test_update_report import REPORT
from tests.feedback.experiments.simulated import HALVES, simulated_events
from tests.report import sample
from tests.train import report_sample

from trifocal import report
from trifocal.evaluate.report_page import report_page
from trifocal.evaluate.update_report import update_page
from trifocal.feedback.experiments.analysis import Experiment, looks_of
from trifocal.feedback.experiments.report import experiment_page
from trifocal.feedback.experiments.shoppers import event_frame
from trifocal.train.distill_report import distillation_page
from trifocal.train.report import training_page

CHROMIUM = Path("/usr/bin/chromium")
KINDS = ("sample", "evaluation", "experiment", "update", "training", "distillation")
MOST_BYTES = 2_000_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's Chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    experiment = Experiment("ranker", HALVES, shoppers=400)
    looks = looks_of(event_frame(simulated_events(400, {"control": 0.3, "candidate": 0.45})), experiment)
    pages = [
        sample.page(),
        report_page(many.comparison(folder), many.samples(folder, size=1)),
        experiment_page(looks, experiment),
        update_page(REPORT),
        training_page(report_sample.training()),
        distillation_page(report_sample.distillation()),
    ]
    for page in pages:
        report.write_report(folder / f"{page.kind}.html", page)
    return folder


def opened(browser: Browser, path: Path, width: int, *, dark: bool = False) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    page.goto(path.as_uri())
    return page


# The sample has one of everything, so one dark page is enough.
@pytest.mark.parametrize(("kind", "width"), [("sample", 390), *((kind, 1280) for kind in KINDS[1:])])
def test_axe_finds_nothing_serious(browser: Browser, folder: Path, kind: str, width: int) -> None:
    page = opened(browser, folder / f"{kind}.html", width, dark=kind == "sample")
    found = Axe().run(page).response["violations"]
    page.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_scrolls_downward_only(browser: Browser, folder: Path, kind: str) -> None:
    page = opened(browser, folder / f"{kind}.html", 390)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_small(folder: Path, kind: str) -> None:
    assert (folder / f"{kind}.html").stat().st_size < MOST_BYTES


def test_print_is_light_open_and_fits_the_paper(browser: Browser, folder: Path) -> None:
    # The width of A4 between the margins, at 96 dots an inch.
    page = opened(browser, folder / "sample.html", 695, dark=True)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.querySelector('.folded table').getBoundingClientRect().height") > 20
    assert not page.locator("nav").is_visible()
    page.close()
