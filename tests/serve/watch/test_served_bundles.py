"""The history of bundles: whole after a restart, never in the way of a swap."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from trifocal.serve.watch.served_bundles import ServedBundle, ServedBundles

FIRST = ServedBundle("trifocal", "aaa", "main", "start", 100.0, None, "/bundles/a", "2026-01-01", 12, {"ndcg@10": 0.2})


def test_a_swap_ends_the_one_before_and_a_start_does_not(tmp_path: Path) -> None:
    bundles = ServedBundles(tmp_path / "history.json")
    bundles.note(FIRST)
    bundles.note(replace(FIRST, model_version="bbb", by="swap", since_s=200.0))
    again = ServedBundles(tmp_path / "history.json")
    assert again.every() == bundles.every()
    # When the server ended nobody knows: the one that served then has no end.
    again.note(replace(FIRST, since_s=900.0))
    assert [(bundle.model_version, bundle.until_s) for bundle in again.every()] == [
        ("aaa", 200.0),
        ("bbb", None),
        ("aaa", None),
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "history.json"]


def test_without_a_file_it_is_remembered_only() -> None:
    bundles = ServedBundles()
    bundles.note(FIRST)
    assert (bundles.every(), bundles.is_durable) == ((FIRST,), False)


def test_only_the_newest_are_kept() -> None:
    bundles = ServedBundles()
    for number in range(205):
        bundles.note(replace(FIRST, by="swap", since_s=float(number)))
    assert (len(bundles.every()), bundles.every()[0].since_s) == (200, 5.0)


@pytest.mark.parametrize("text", ["no json", "[1]", '[{"model_name": "x"}]'])
def test_a_damaged_file_is_said_and_written_anew(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "history.json"
    path.write_text(text)
    with caplog.at_level(logging.ERROR):
        bundles = ServedBundles(path)
    assert "holds no history of bundles" in caplog.text
    bundles.note(FIRST)
    assert ServedBundles(path).every() == (FIRST,)


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bundles = ServedBundles(tmp_path / "nowhere" / "history.json")
    with caplog.at_level(logging.ERROR):
        bundles.note(FIRST)
    assert "cannot be noted" in caplog.text
    assert bundles.every() == (FIRST,)
