"""Timestamps: each layout against moments worked out by hand; what is no moment is null."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from trifocal.data.timestamps import parse_timestamps

# 1,600,250,401 s after 1970 is 2020-09-16 10:00:01 UTC.
MOMENT = datetime(2020, 9, 16, 10, 0, 1, tzinfo=UTC)
MIDNIGHT = datetime(2020, 9, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("auto", "2020-09-16 10:00:01", MOMENT),
        ("auto", "2020-09-16T10:00:01Z", MOMENT),
        ("auto", "2020-09-16 10:00:01 UTC", MOMENT),
        ("auto", "2020-09-16T12:00:01+02:00", MOMENT),
        ("auto", "2020-09-16T05:00:01.000-0500", MOMENT),
        ("auto", "2020-09-16 10:00:01.000000+00:00", MOMENT),
        ("auto", "2020-09-16", MIDNIGHT),
        ("auto", "20200916", MIDNIGHT),
        ("auto", "2020-09-16 00:00", MIDNIGHT),
        ("auto", "1600250401", MOMENT),
        ("auto", "1600250401.0", MOMENT),
        ("auto", "1600250401000", MOMENT),
        ("auto", "1600250401000000", MOMENT),
        ("auto", "1600250401000000000", MOMENT),
        ("auto", "2020-02-30", None),
        ("auto", "yesterday", None),
        ("auto", "9e99", None),
        ("auto", "nan", None),
        ("auto", "4200000000", None),
        ("auto", "2101-01-01", None),
        ("iso", "1600250401", None),
        ("iso", "2020-09-16T10:00:01Z", MOMENT),
        ("s", "1600250401", MOMENT),
        ("s", "1600250401000", None),
        ("s", "-5", None),
        ("s", "7", datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)),
        ("ms", "1600250401000", MOMENT),
        ("%d.%m.%Y", "16.09.2020", MIDNIGHT),
        ("%d.%m.%Y", "2020-09-16", None),
        ("%d.%m.%Y %H:%M:%S", "16.09.2020 10:00:01", MOMENT),
        ("%d/%b/%Y:%H:%M:%S %z", "16/Sep/2020:12:00:01 +0200", MOMENT),
    ],
)
def test_reads_each_layout(layout: str, text: str, expected: datetime | None) -> None:
    assert parse_timestamps(pl.Series([text]), layout).to_list() == [expected]


def test_a_mixed_column_keeps_its_order_and_its_gaps() -> None:
    text = pl.Series(["2020-09-16", None, "1600250401", "soon", "2020-09-16T10:00:01Z"])
    assert parse_timestamps(text, "auto").to_list() == [MIDNIGHT, None, MOMENT, None, MOMENT]


def test_nothing_known_gives_nulls_of_the_right_type() -> None:
    moments = parse_timestamps(pl.Series([None, None], dtype=pl.String), "auto")
    assert moments.dtype == pl.Datetime("us", "UTC")
    assert moments.to_list() == [None, None]
