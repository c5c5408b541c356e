from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from trifocal.evaluate.gate import Compared, Verdict
from trifocal.evaluate.update_report import UpdateReport, write_update_report

WHOLE = Compared("ndcg@10", 1234, 0.25, 0.2, 0.01, 0.09)
REPORT = UpdateReport(
    dataset="<shop>",
    serving="old123",
    updated="new456",
    verdict=Verdict(WHOLE, None, 0.02),
    since="2026-05-01 10:00",
    held_out_from="2026-06-01 10:00",
    until="2026-06-04 10:00",
    new_events=5000,
    new_items=12,
    forgotten_users=3,
    seconds=12.34,
)


def test_the_verdict_says_what_it_stands_on() -> None:
    assert REPORT.sentence == (
        "promoted: ndcg@10 0.2500 against 0.2000 of the serving bundle, difference +0.0500 "
        "(95 % interval +0.0100 to +0.0900, 1,234 users)"
    )
    worse = replace(REPORT, verdict=Verdict(replace(WHOLE, low=-0.01), None, 0.02))
    assert worse.sentence.startswith("kept back: ")
    assert worse.sentence.endswith("the interval must not begin below -0.0040")


def test_both_files_are_written(tmp_path: Path) -> None:
    write_update_report(REPORT, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "update.json").read_text())
    assert (found["promoted"], found["new_items"], found["seconds"], found["known_items"]) == (True, 12, 12.3, None)
    assert found["all_items"]["low"] == 0.01
    page = (tmp_path / "out" / "update.html").read_text()
    assert "&lt;shop&gt;" in page
    assert "known to both" not in page
    assert "+0.0100 to +0.0900" in page


def test_known_items_have_a_line_of_their_own(tmp_path: Path) -> None:
    known = replace(REPORT, verdict=Verdict(WHOLE, replace(WHOLE, cases=7), 0.02))
    write_update_report(known, tmp_path)
    assert '<th scope="row">known to both</th><td>7</td>' in (tmp_path / "update.html").read_text()
