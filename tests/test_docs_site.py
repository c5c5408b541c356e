"""The docs site builds without a warning, holds every page, and fetches nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    told = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_every_page_can_be_reached_from_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in ROOT.glob("docs/**/*.md")}
    linked = set(re.findall(r'<a href="([^"#]+\.html)" class="md-nav__link', home))
    assert pages - linked == {"index.html"} - linked


@pytest.mark.slow
def test_the_references_come_from_the_code(site: Path) -> None:
    told = {
        name: (site / "reference" / f"{name}.html").read_text()
        for name in ("cli", "http", "metrics", "settings", "python")
    }
    assert "trifocal shop generate" in told["cli"]
    assert "--visual-signal" in told["cli"]
    assert "POST /v1/recommend" in told["http"]
    assert "trifocal_http_requests_total" in told["metrics"]
    assert "rank_candidates" in told["settings"]
    assert "exclude_seen" in told["python"]


@pytest.mark.slow
def test_nothing_is_fetched_from_anywhere(site: Path) -> None:
    fetched = r"""<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^"'>]*"""
    for page in site.glob("**/*.html"):
        assert re.findall(fetched, page.read_text(encoding="utf-8")) == [], page.name
