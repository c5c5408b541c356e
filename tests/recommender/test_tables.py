from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from trifocal.errors import ConfigError, DataError
from trifocal.recommender.tables import Columns, Source, column_map, imported, read_rejects

ITEMS = Source(Path("/shop/items.csv"), ("sku", "brand", "name", "price", "colour"))
EVENTS = Source(Path("/shop/log.csv"), ("visitor", "sku", "event"))
COLUMNS: Columns = {
    "item_id": "sku",
    "title": ["brand", "name"],
    "user_id": "visitor",
    "attribute.colour": "colour",
    "image": "{item_id}.jpg",
}


def test_each_table_gets_the_columns_that_it_has() -> None:
    mapped = column_map(ITEMS, EVENTS, COLUMNS, Path("/photos"))
    columns = mapped.items.columns
    assert (columns.item_id, columns.title, columns.price, columns.image) == ("sku", ("brand", "name"), "price", None)
    assert columns.attributes == {"colour": "colour"}
    assert (mapped.items.image_root, mapped.items.image_pattern) == ("/photos", "{item_id}.jpg")
    told = mapped.events.columns
    assert (told.user_id, told.item_id, told.event, told.timestamp) == ("visitor", "sku", "event", None)


def test_one_word_may_differ_between_the_tables() -> None:
    events = Source(Path("/shop/log.csv"), ("user_id", "item_id"))
    items = Source(Path("/shop/items.csv"), ("sku", "title"))
    assert column_map(items, events, {"item_id": "sku"}, Path()).events.columns.item_id == "item_id"
    both: Columns = {"items": {"item_id": "sku"}, "events": {"user_id": "who"}}
    mapped = column_map(items, events, both, Path())
    assert (mapped.items.columns.item_id, mapped.events.columns.user_id) == ("sku", "who")


def test_a_name_that_is_not_canonical_is_refused() -> None:
    with pytest.raises(ConfigError, match="columns names titel, which is no canonical column; choose among"):
        column_map(ITEMS, EVENTS, {"titel": "name"}, Path())
    with pytest.raises(ConfigError, match="columns holds 'sku' for a table"):
        column_map(ITEMS, EVENTS, {"items": "sku"}, Path())


def test_bad_rows_are_kept_with_their_reasons(tmp_path: Path) -> None:
    items = pd.DataFrame({"sku": [11, 12, 12], "title": ["Hat", "Bag", "Again"]})
    events = pl.DataFrame({"user_id": ["a", "a", "b"], "item_id": [11, 12, 99]})
    data = imported(items, events, {"items": {"item_id": "sku"}, "events": {}}, None, tmp_path)
    assert data.items["item_id"].to_list() == ["11", "12"]
    assert data.events.select("user_id", "item_id", "event").rows() == [
        ("a", "11", "purchase"),
        ("a", "12", "purchase"),
    ]
    rejects = read_rejects(tmp_path)
    assert sorted(rejects["reason"].to_list()) == ["duplicate_item", "unknown_item"]


def test_files_are_read_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n1,Hat\n")
    (tmp_path / "log.jsonl").write_text('{"user_id": "a", "item_id": "1"}\n')
    data = imported(tmp_path / "items.csv", str(tmp_path / "log.jsonl"), None, None, tmp_path / "out")
    assert data.items["title"].to_list() == ["Hat"]
    assert data.image_root == tmp_path
    assert data.events["user_id"].to_list() == ["a"]


def test_a_missing_id_column_says_what_there_is(tmp_path: Path) -> None:
    items, events = pl.DataFrame({"item_id": ["1"], "title": ["Hat"]}), pl.DataFrame({"who": ["a"], "item_id": ["1"]})
    with pytest.raises(DataError, match="has no column user_id; it has: who, item_id"):
        imported(items, events, None, None, tmp_path)
