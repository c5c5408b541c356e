from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trifocal.errors import DataError
from trifocal.recommender.frames import as_frame, bytes_of, ids_of, is_pandas, seconds_of, told


def test_a_frame_of_pandas_becomes_polars_without_its_index_and_back() -> None:
    given = pd.DataFrame({"item_id": ["a", "b"], "price": [1.5, np.nan]}, index=[7, 9])
    frame = as_frame(given, "items")
    assert frame.to_dict(as_series=False) == {"item_id": ["a", "b"], "price": [1.5, None]}
    back = told(frame, as_pandas=True)
    assert is_pandas(back)
    assert list(back["item_id"]) == ["a", "b"]
    assert told(frame, as_pandas=False) is frame


def test_what_is_no_frame_is_named() -> None:
    with pytest.raises(DataError, match="events is of the class list; give a frame of polars or pandas"):
        as_frame([1, 2], "events")


def test_a_column_of_mixed_kinds_is_named() -> None:
    with pytest.raises(DataError, match=r"items has a column of mixed kinds .* give each column one kind"):
        as_frame(pd.DataFrame({"item_id": [1, "a"]}), "items")


@pytest.mark.parametrize("ids", [["b", "a", "b"], pl.Series(["b", "a"]), pd.Series(["b", "a"]), np.array(["b", "a"])])
def test_ids_come_from_any_list_once_each(ids: pl.Series) -> None:
    assert ids_of(ids) == ["b", "a"]


def test_a_time_is_seconds_in_utc() -> None:
    assert seconds_of(datetime(1970, 1, 1, 0, 1, tzinfo=UTC)) == 60.0
    assert seconds_of(pd.Timestamp("1970-01-01 00:02:00")) == 120.0
    with pytest.raises(DataError, match="'noon' is no time"):
        seconds_of("noon")


def test_a_picture_is_bytes_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"x")
    assert bytes_of(tmp_path / "picture") == bytes_of(b"x") == b"x"
    assert bytes_of(None) is None
    with pytest.raises(DataError, match="nowhere cannot be read"):
        bytes_of(tmp_path / "nowhere")
