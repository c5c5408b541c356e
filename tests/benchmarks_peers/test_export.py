"""The folder that the rivals read, and what they make of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.peers.exchange import read_export
from benchmarks.peers.export import export_cases

from trifocal.data.cases import Cases
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.errors import DataError
from trifocal.types import FloatArray, History, Request, UserId, Vocabulary

VOCABULARY = Vocabulary.of(["a", "b", "c"])
CASES = Cases(
    (UserId("new"), UserId("u")),
    (Request(user_id=UserId("new")), Request(History.of_rows([1, 0]), exclude=np.array([0, 1]), user_id=UserId("u"))),
    (np.array([0]), np.array([2])),
)


def events(*rows: tuple[str, str, str]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "event"], orient="row")
    return conform(frame, EVENT_SCHEMA)


TRAIN = events(
    ("u", "b", "click"),
    ("w", "c", "impression"),
    ("u", "a", "click"),
    ("w", "zz", "click"),
    ("u", "b", "purchase"),
    ("w", "a", "purchase"),
)


def export(folder: Path, image: FloatArray | None = None) -> None:
    export_cases(folder, vocabulary=VOCABULARY, train=TRAIN, cases=CASES, text=None, image=image)


def test_interactions_are_the_first_positive_event_of_each_pair_of_known_items(tmp_path: Path) -> None:
    export(tmp_path)
    written = pl.read_parquet(tmp_path / "interactions.parquet")
    assert written.rows() == [("u", "b", 0), ("u", "a", 1), ("w", "a", 2)]


def test_requests_are_in_ids_and_hold_no_truth(tmp_path: Path) -> None:
    export(tmp_path)
    written = pl.read_parquet(tmp_path / "requests.parquet")
    assert written.rows() == [("new", [], []), ("u", ["b", "a"], ["a", "b"])]


def test_the_items_keep_their_rows(tmp_path: Path) -> None:
    export(tmp_path)
    assert pl.read_parquet(tmp_path / "items.parquet")["item_id"].to_list() == ["a", "b", "c"]


def test_features_are_float32_and_an_older_export_does_not_shine_through(tmp_path: Path) -> None:
    export(tmp_path, np.arange(6, dtype=np.float32).reshape(3, 2))
    assert np.load(tmp_path / "image.npy").tolist() == [[0, 1], [2, 3], [4, 5]]
    assert not (tmp_path / "text.npy").exists()
    export(tmp_path)
    assert not (tmp_path / "image.npy").exists()


def test_features_of_another_catalogue_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"image.npy would have 2 rows for 3 items; give one row an item"):
        export(tmp_path, np.zeros((2, 2), dtype=np.float32))


def test_a_rival_reads_what_was_exported(tmp_path: Path) -> None:
    export(tmp_path)
    read = read_export(tmp_path)
    assert read.user_ids == ("u", "w", "new")
    assert read.item_ids == ("a", "b", "c")
    assert read.user_rows.tolist() == [0, 0, 1]
    assert read.item_rows.tolist() == [1, 0, 0]
    assert read.askers.tolist() == [2, 0]
    assert [history.tolist() for history in read.histories] == [[], [1, 0]]
    assert [exclude.tolist() for exclude in read.excludes] == [[], [0, 1]]
    assert read.popularity().tolist() == [2, 1, 0]
    assert read.trained().tolist() == [False, True]
    assert read.with_history().tolist() == [False, True]
    assert read.candidates().tolist() == [0, 1, 2]
    assert read.text is None
