"""The page of a training says what the bundle, its logs and its settings say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.train import report_sample

from trifocal.model import ModelConfig
from trifocal.report import Note, Origin, Section, Table, render_report
from trifocal.train.config import TrainConfig
from trifocal.train.report import Training, training_page
from trifocal.train.report_values import changed_settings, log_rows


def tables(training: Training) -> dict[str, Table]:
    blocks = [block for section in training_page(training).sections for block in section.blocks]
    return {block.caption: block for block in blocks if isinstance(block, Table)}


def test_the_page_says_what_was_trained() -> None:
    page = render_report(training_page(report_sample.training(), Origin("trifocal train shop run", "2026-05-01")))
    for said in (
        "&lt;shop&gt;, trifocal", "trifocal reaches nDCG@10 0.1586 on validation, split time.", "1,057,793",
        "3 of 8", "Bundle abc123.", "Learning curve of trifocal", "Gradient norm of each part", "text layers 5e-05",
        "all else, ids 0.003", "epochs = 8", "User &lt;u1&gt;", "feedbeef", "Made by <code>trifocal train shop run",
    ):  # fmt: skip
        assert said in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page)


def test_losses_that_were_never_above_0_have_no_column() -> None:
    found = tables(report_sample.training())["Losses and validation figures by epoch"]
    assert list(found.columns) == ["Epoch", "Seconds so far", "softmax", "bpr", "Recall@20", "nDCG@10"]
    assert list(found.rows[2]) == ["3", "34.0", "3.0000", "0.2000", "0.3000", "0.1500"]


def test_seconds_stand_by_stage() -> None:
    # The clock of the epochs goes on from the passes before them: 34 - 4.
    assert [list(row) for row in tables(report_sample.training())["Seconds by stage"].rows] == [
        ["data, tokens and features", "2.5"],
        ["passes over the catalogue", "4.0"],
        ["epochs, to choose the best", "30.0"],
        ["all of the training, second stage too", "40.5"],
    ]
    refit = replace(
        report_sample.training(), manifest=report_sample.manifest(split="time, refit on train + validation")
    )
    assert tables(refit)["Seconds by stage"].rows[-1][0] == "training of what is served"


def test_the_blend_is_told_in_words() -> None:
    rows = tables(report_sample.training())["The blend that was chosen"].rows
    assert [row[1] for row in rows] == ["0.1", "yes", "0.8"]


def test_a_bundle_without_a_curve_has_a_page() -> None:
    manifest = report_sample.manifest()
    bare = replace(
        report_sample.training(), manifest=manifest.model_copy(update={"metrics": manifest.metrics | {"curve": []}}),
        alignment=(), changed={}, users=(), seconds={},
    )  # fmt: skip
    sections: list[Section] = list(training_page(bare).sections)
    assert [section.title for section in sections] == ["Blend", "Time", "Settings that are not the defaults"]
    assert sections[-1].blocks == [Note("All settings are the defaults.")]


def test_only_changed_settings_are_named() -> None:
    train = TrainConfig(epochs=7).model_copy(update={"losses": TrainConfig().losses.model_copy(update={"bpr": 0.5})})
    model = ModelConfig().model_copy(update={"modalities": ("text",)})
    assert changed_settings({"train": train, "model": model}) == {
        "train": ["epochs = 7", "losses.bpr = 0.5"],
        "model": ['modalities = ["text"]'],
    }
    assert changed_settings({"train": TrainConfig()}) == {}


@pytest.mark.parametrize(("text", "rows"), [(None, []), ('{"epoch": 1}\n{"epoch": 2}\n', [{"epoch": 1}, {"epoch": 2}])])
def test_a_log_is_read_where_there_is_one(tmp_path: Path, text: str | None, rows: list[dict[str, float]]) -> None:
    if text is not None:
        (tmp_path / "align.jsonl").write_text(text, encoding="utf-8")
    assert log_rows(tmp_path / "align.jsonl") == rows
