"""CSV: quoted commas and line breaks are honoured, stray quotes and ragged lines cost their own line only."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trifocal.data import delimited
from trifocal.data.delimited import Dialect, read_delimited
from trifocal.data.rejects import ROW, RejectLog
from trifocal.data.text_blocks import line_blocks
from trifocal.errors import DataError


def read(
    path: Path, content: str, dialect: Dialect | None = None
) -> tuple[list[tuple[object, ...]], dict[int, str], int]:
    """Return the rows (number first), the malformed lines by number, and the count."""
    path.write_bytes(content.encode())
    log = RejectLog("events")
    frame, count = read_delimited(path, dialect or Dialect(), log)
    rejects = log.frame(frame)
    lines = {row: json.loads(raw)["line"] for row, raw in rejects.select("row", "raw").iter_rows()}
    return frame.rows(), lines, count


def test_quoted_commas_and_line_breaks_stay_in_their_field(tmp_path: Path) -> None:
    rows, bad, count = read(tmp_path / "a.csv", 'a,b\n1,"x, y"\n2,"two\nlines, and ""more"""\n3,z\n')
    assert rows == [(1, "1", "x, y"), (2, "2", 'two\nlines, and "more"'), (3, "3", "z")]
    assert (bad, count) == ({}, 3)


def test_lines_with_too_few_or_too_many_fields_are_malformed(tmp_path: Path) -> None:
    rows, bad, count = read(tmp_path / "a.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert rows == [(1, "1", "2"), (4, "7", "8")]
    assert (bad, count) == ({2: "3", 3: "4,5,6"}, 4)


@pytest.mark.parametrize("quote_line", ['2,"x', '2,"x"y', '"2,x'])
def test_a_stray_quote_costs_its_own_line_only(tmp_path: Path, quote_line: str) -> None:
    rows, bad, _ = read(tmp_path / "a.csv", f'a,b\n1,y\n{quote_line}\n3,z\n4,"w, v"\n5,u\n')
    assert rows == [(1, "1", "y"), (3, "3", "z"), (4, "4", "w, v"), (5, "5", "u")]
    assert bad == {2: quote_line}


def test_a_quote_inside_a_field_is_text(tmp_path: Path) -> None:
    rows, bad, _ = read(tmp_path / "a.csv", 'a,b\n1,5" nail\n2,6" nail\n')
    assert rows == [(1, "1", '5" nail'), (2, "2", '6" nail')]
    assert bad == {}


def test_an_inch_mark_before_a_quoted_line_break(tmp_path: Path) -> None:
    # Two quotes in the first line, so its field stays open although their number is even.
    rows, bad, _ = read(tmp_path / "a.csv", 'a,b,c\n1,5" nail,"two\nlines"\n2,x,y\n')
    assert rows == [(1, "1", '5" nail', "two\nlines"), (2, "2", "x", "y")]
    assert bad == {}


def test_blank_lines_do_not_count_and_windows_ends_vanish(tmp_path: Path) -> None:
    rows, bad, count = read(tmp_path / "a.csv", "\ufeffa,b\r\n1,2\r\n\r\n3,4\r\n")
    assert rows == [(1, "1", "2"), (2, "3", "4")]
    assert (bad, count) == ({}, 2)


def test_a_separator_of_several_characters_and_no_header(tmp_path: Path) -> None:
    dialect = Dialect(separator="::", quoted=False, header=("id", "title"), encoding="latin-1")
    (tmp_path / "a.dat").write_bytes('1::"Misérables", Les\n2::x::y\n'.encode("latin-1"))
    log = RejectLog("items")
    frame, count = read_delimited(tmp_path / "a.dat", dialect, log)
    assert frame.rows() == [(1, "1", '"Misérables", Les')]
    assert count == 2
    assert log.frame(frame)["row"].to_list() == [2]


def test_gzip_is_unpacked_and_a_torn_one_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n")
    (tmp_path / "a.csv.gz").write_bytes(packed)
    frame, _ = read_delimited(tmp_path / "a.csv.gz", Dialect(), RejectLog("t"))
    assert frame.rows() == [(1, "1", "2")]
    (tmp_path / "a.csv.gz").write_bytes(packed[:-6])
    with pytest.raises(DataError, match="damaged and cannot be unpacked"):
        read_delimited(tmp_path / "a.csv.gz", Dialect(), RejectLog("t"))


@pytest.mark.parametrize(("content", "message"), [("", "no header line"), ("a,b,a\n1,2,3\n", "names the column")])
def test_refuses_a_header_that_cannot_be_used(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_delimited(tmp_path / "a.csv", Dialect(), RejectLog("t"))


FIELDS = st.text(alphabet='ab1," \n', max_size=6)


@given(st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=40), st.integers(1, 60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reads_back_what_the_csv_module_wrote_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, str, str]], block: int
) -> None:
    monkeypatch.setattr(delimited, "line_blocks", lambda path, encoding: line_blocks(path, encoding, block))
    monkeypatch.setattr(delimited, "_STRETCH", 7)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("a", "b", "c"), *rows])
    (tmp_path / "a.csv").write_text(text.getvalue(), newline="")
    log = RejectLog("t")
    frame, count = read_delimited(tmp_path / "a.csv", Dialect(), log)
    assert frame.drop(ROW).rows() == rows
    assert count == len(rows)
    assert log.frame(frame).is_empty()


def test_every_row_gets_its_number_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "line_blocks", lambda path, encoding: line_blocks(path, encoding, 10))
    lines = [f"{n},x" if n % 5 else f"{n}" for n in range(1, 101)]
    rows, bad, count = read(tmp_path / "a.csv", "a,b\n" + "\n".join(lines))
    assert [row[0] for row in rows] == [n for n in range(1, 101) if n % 5]
    assert bad == {n: str(n) for n in range(5, 101, 5)}
    assert count == 100


def test_a_file_of_only_a_header_has_no_rows_but_its_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    frame, count = read_delimited(tmp_path / "a.csv", Dialect(), RejectLog("t"))
    assert frame.schema == {ROW: pl.Int64, "a": pl.String, "b": pl.String}
    assert count == 0
