"""The page: verdict, figures and plots are there, nothing from outside, names are escaped."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from tests.feedback.experiments.simulated import HALVES, simulated_events

from trifocal.feedback.experiments.analysis import Experiment, looks_of
from trifocal.feedback.experiments.report import report_html, sentence, write_report
from trifocal.feedback.experiments.shoppers import event_frame
from trifocal.feedback.experiments.verdicts import Verdict

EXPERIMENT = Experiment("<b>ranker</b>", HALVES, shoppers=400)


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    return event_frame(simulated_events(400, {"control": 0.3, "candidate": 0.45}))


def test_the_page_says_what_came_out(events: pl.DataFrame, tmp_path: Path) -> None:
    write_report(tmp_path / "new" / "out.html", looks_of(events, EXPERIMENT), EXPERIMENT)
    page = (tmp_path / "new" / "out.html").read_text(encoding="utf-8")
    assert "candidate is better after" in page
    assert "&lt;b&gt;ranker&lt;/b&gt;" in page
    assert "<b>ranker" not in page
    assert page.count("<svg") == 5
    assert not re.search(r'(src|href)="(?!#)', page)
    assert not re.search(r"#0[1-7]0[1-7]0[1-7]", page)


def test_equal_looks_give_equal_pages(events: pl.DataFrame) -> None:
    looks = looks_of(events, EXPERIMENT)
    assert report_html(looks, EXPERIMENT) == report_html(looks, EXPERIMENT)


def test_too_few_shoppers_make_a_page_without_intervals() -> None:
    events = event_frame(simulated_events(12, HALVES))
    page = report_html(looks_of(events, EXPERIMENT), EXPERIMENT)
    assert "not yet known" in page
    assert page.count("<svg") == 2


def test_a_verdict_in_one_line() -> None:
    assert sentence(Verdict("new", "open", "Wait.", 1200)) == "new is open after 1,200 shoppers. Wait."
