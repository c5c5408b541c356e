from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trifocal.audit.exclude import excluded_items
from trifocal.audit.finding import KINDS, Finding, findings_frame, kinds_named
from trifocal.errors import ConfigError


def test_errors_of_pictures_are_left_out_and_warnings_are_not(tmp_path: Path) -> None:
    findings_frame(
        [
            Finding("a", "mismatch", "error", 0.9, "", "b", 0.1),
            Finding("b", "mismatch", "warning", 0.3, "", "a", 0.8),
            Finding("c", "blank", "error", 1.0, ""),
            Finding("d", "text", "error", 1.0, ""),
        ]
    ).write_parquet(tmp_path / "audit.parquet")
    assert excluded_items(tmp_path / "audit.parquet") == {"a", "c"}
    assert excluded_items(tmp_path / "audit.parquet", kinds_named("text, blank")) == {"c", "d"}


def test_a_text_file_names_its_items(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("# wrong\n007\n\n 12 \n", encoding="utf-8")
    assert excluded_items(tmp_path / "ids.txt") == {"007", "12"}


def test_what_is_no_list_of_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*none\.txt"):
        excluded_items(tmp_path / "none.txt")
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(ConfigError, match=r"other\.parquet is no audit"):
        excluded_items(tmp_path / "other.parquet")
    with pytest.raises(ConfigError, match="there is no finding 'wrong'; choose among mismatch"):
        kinds_named("wrong")


def test_the_table_is_ordered_by_kind_then_errors_then_score() -> None:
    one = [
        Finding("a", "text", "error", 0.5, ""),
        Finding("b", "mismatch", "warning", 0.9, ""),
        Finding("c", "mismatch", "error", 0.4, ""),
        Finding("d", "mismatch", "error", 0.6, ""),
    ]
    assert findings_frame(one)["item_id"].to_list() == ["d", "c", "b", "a"]
    assert findings_frame([]).is_empty()
    assert KINDS[0] == "mismatch"
