"""Folders that use the canonical names need no map, in each format."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trifocal import columns as c
from trifocal.data import read_dataset
from trifocal.data.importing import import_plan
from trifocal.data.readers import detect_plan
from trifocal.errors import DataError

ITEMS = pl.DataFrame({"item_id": ["1"], "title": ["Bag"], "attribute.colour": ["red"], "other": ["x"]})
EVENTS = pl.DataFrame({"user_id": ["u"], "item_id": ["1"], "event": ["cart"], "timestamp": ["2024-01-01"]})


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_reads_each_format(tmp_path: Path, ending: str) -> None:
    for name, frame in (("items", ITEMS), ("events", EVENTS)):
        path = tmp_path / f"{name}.{ending}"
        match ending:
            case "csv":
                frame.write_csv(path)
            case "jsonl":
                frame.write_ndjson(path)
            case _:
                frame.write_parquet(path)
    import_plan(detect_plan(tmp_path), tmp_path / "out")
    dataset = read_dataset(tmp_path / "out")
    assert dataset.items.select(c.ITEM_ID, c.TITLE, "attribute.colour").rows() == [("1", "Bag", "red")]
    assert dataset.events.select(c.USER_ID, c.EVENT, c.SESSION_ID).rows() == [("u", "cart", "u-1")]


@pytest.mark.parametrize("items", ["sku,title\n1,Bag\n", "item_id,price\n1,2\n"])
def test_an_unknown_layout_names_what_it_found(tmp_path: Path, items: str) -> None:
    (tmp_path / "items.csv").write_text(items)
    (tmp_path / "events.csv").write_text("user_id,item_id\nu,1\n")
    with pytest.raises(DataError, match=r"found: events.csv, items.csv\); write a column map"):
        detect_plan(tmp_path)


def test_a_folder_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found: no folder"):
        detect_plan(tmp_path / "none", "hm")
