"""From scores to rankings, the same for every rival."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.peers.exchange import (
    About,
    Export,
    FloatArray,
    IntArray,
    Options,
    Took,
    parse_options,
    ranked,
    top_rows,
    write_answer,
)

NOBODY = np.zeros(0, dtype=np.int64)


def toy() -> Export:
    """Two askers, of which only u has interactions: a once and b twice, by u and w."""
    return Export(
        item_ids=("a", "b", "c"),
        user_ids=("u", "w", "new"),
        user_rows=np.array([0, 0, 1]),
        item_rows=np.array([0, 1, 1]),
        askers=np.array([2, 0]),
        histories=(NOBODY, np.array([0, 1])),
        excludes=(NOBODY, np.array([0, 1])),
        text=None,
        image=None,
    )


def test_top_rows_leave_out_what_is_excluded_or_has_no_score() -> None:
    scores = np.array([[0.5, 0.9, 0.7, np.nan], [0.1, 0.2, 0.3, -np.inf]], dtype=np.float32)
    rows = top_rows(scores, [np.array([1]), NOBODY], 3, seed=0)
    assert rows.tolist() == [[2, 0, -1], [2, 1, 0]]
    assert scores[0, 1] == np.float32(0.9)


def test_lists_longer_than_the_catalogue_are_filled() -> None:
    assert top_rows(np.array([[1.0, 2.0]], dtype=np.float32), [NOBODY], 4, seed=0).tolist() == [[1, 0, -1, -1]]


def test_equal_scores_are_ordered_by_seed_not_by_place() -> None:
    scores = np.zeros((1, 50), dtype=np.float32)
    first, again, other = (top_rows(scores, [NOBODY], 50, seed).tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first != [list(range(50))]
    assert sorted(first[0]) == list(range(50))


def test_who_cannot_be_answered_gets_popularity() -> None:
    asked: list[IntArray] = []

    def score(rows: IntArray) -> FloatArray:
        asked.append(rows)
        return np.array([[0.1, 0.2, 0.3]], dtype=np.float32)

    export = toy()
    rows = ranked(score, export, Options(Path(), Path(), 3, 0, {}), export.trained())
    assert rows.tolist() == [[1, 0, 2], [2, -1, -1]]
    assert [piece.tolist() for piece in asked] == [[1]]


def test_an_answer_is_written_in_ids_with_ranks_from_one(tmp_path: Path) -> None:
    about = About("polars-toy", "polars", Took(1.5, 1.0), Took(0.5, 0.25), {"k": 3}, None)
    write_answer(tmp_path, toy(), np.array([[1, 0], [2, -1]]), about)
    written = pl.read_parquet(tmp_path / "polars-toy" / "rankings.parquet")
    assert written.rows() == [("new", "b", 1), ("new", "a", 2), ("u", "c", 1)]
    said = json.loads((tmp_path / "polars-toy" / "about.json").read_text(encoding="utf-8"))
    assert said == {
        "name": "polars-toy",
        "package": "polars",
        "version": pl.__version__,
        "train_seconds": 1.5,
        "train_cpu_seconds": 1.0,
        "recommend_seconds": 0.5,
        "recommend_cpu_seconds": 0.25,
        "settings": {"k": 3},
        "parameters": None,
    }


def test_settings_override_defaults_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["run.py", "in", "out", "--k", "5", "--settings", '{"epochs": 2}'])
    options = parse_options("toy", {"epochs": 9, "lr": 0.1})
    assert (options.k, options.seed, options.settings) == (5, 0, {"epochs": 2, "lr": 0.1})


def test_a_misspelt_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["run.py", "in", "out", "--settings", '{"epoch": 2}'])
    with pytest.raises(SystemExit):
        parse_options("toy", {"epochs": 9})
    assert "there is no setting epoch; choose among epochs" in capsys.readouterr().err
