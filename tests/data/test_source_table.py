"""Source tables: Parquet of any type as text, joined columns, and clear words for what is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from trifocal.data.column_map import TableFile
from trifocal.data.rejects import ROW, RejectLog
from trifocal.data.source_table import mapped_text, read_source_table
from trifocal.errors import DataError


def test_parquet_of_any_type_becomes_text(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "whole": [12.0, None],
            "part": [0.5, 2.0],
            "day": [date(2020, 9, 16), None],
            "at": [datetime(2020, 9, 16, 10, tzinfo=UTC), None],
            "tags": [["a", "b"], None],
            "size": [{"w": 1}, {"w": 2}],
            "deep": [[{"w": 1}], None],
            "bytes": [b"caf\xc3\xa9", b"\xff"],
            "mixed": [float("nan"), 1.0],
            "none": [None, None],
        }
    ).write_parquet(tmp_path / "t.parquet")
    table = read_source_table(tmp_path, TableFile(file="t.parquet"), RejectLog("t"))
    first = table.frame.row(0, named=True)
    assert first == {
        ROW: 1,
        "whole": "12",
        "part": "0.5",
        "day": "2020-09-16",
        "at": "2020-09-16 10:00:00.000000+00:00",
        "tags": "a\x1fb",
        "size": '{"w": 1}',
        "deep": '[{"w": 1}]',
        "bytes": "café",
        "mixed": "NaN",
        "none": None,
    }
    second = table.frame.row(1, named=True)
    assert (second["whole"], second["bytes"], second["tags"]) == (None, "\ufffd", None)
    assert table.rows == 2


def test_several_columns_and_lists_are_joined_and_missing_values_are_null(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("brand,name,path,size\n Acme , Bag ,Home,NA\n,Hat,,\n,,,7\n")
    table = read_source_table(tmp_path, TableFile(file="t.csv"), RejectLog("t"))
    columns = {"title": ("brand", "name"), "category": ("path", "name"), "size": ("size",)}
    text = mapped_text(table, columns, {"category": " > "}, ("NA",))
    assert text.drop(ROW).rows() == [("Acme, Bag", "Home > Bag", None), ("Hat", "Hat", None), (None, None, "7")]


def test_a_missing_column_is_named_beside_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sku,name\n1,Bag\n")
    table = read_source_table(tmp_path, TableFile(file="t.csv"), RejectLog("t"))
    with pytest.raises(DataError, match=r"has no column id, titel; it has: sku, name; correct the column map"):
        mapped_text(table, {"item_id": ("id",), "title": ("titel",)}, {}, ())


def test_tabs_separate_tsv(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a\tb\n1\tx, y\n")
    table = read_source_table(tmp_path, TableFile(file="t.tsv"), RejectLog("t"))
    assert table.frame.rows() == [(1, "1", "x, y")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "does not exist"),
        ("t.xlsx", b"x", "unknown ending '.xlsx'"),
        ("t.parquet", b"no parquet at all", "cannot be read as Parquet"),
    ],
)
def test_refuses_files_it_cannot_read(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_source_table(tmp_path, TableFile(file=name), RejectLog("t"))
