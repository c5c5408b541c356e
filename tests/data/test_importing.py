"""Whole imports of small shops: each kind of bad row, what is kept, what is dropped, and that nothing vanishes."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trifocal import columns as c
from trifocal.data import read_dataset
from trifocal.data.column_map import ColumnMap, column_map_of
from trifocal.data.importing import import_dataset
from trifocal.data.rejects import REJECT_SCHEMA
from trifocal.errors import ConfigError, DataError

ITEM_COLUMNS = {
    "item_id": "sku",
    "title": "name",
    "category": "path",
    "image": "photo",
    "price": "price",
    "created_at": "since",
    "available": "stock",
    "attributes": {"colour": "colour"},
}
EVENT_COLUMNS = {
    "user_id": "user",
    "item_id": "sku",
    "event": "action",
    "timestamp": "at",
    "dwell_ms": "dwell",
    "value": "stars",
}
ITEM_HEADER = "sku,name,path,photo,price,since,stock,colour\n"
EVENT_HEADER = "user,sku,action,at,dwell,stars\n"


def shop_map(**events: Any) -> ColumnMap:
    items = {"file": "items.csv", "image_root": "photos", "category_separator": "/", "columns": ITEM_COLUMNS}
    values = {"View": "click", "rate": "rating"}
    return column_map_of(
        {"items": items, "events": {"file": "events.csv", "columns": EVENT_COLUMNS, "values": values, **events}}, "map"
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a folder with two good pictures, a broken one, and the two tables."""
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (40, 40), "red").save(photos / "a.jpg")
    Image.new("RGB", (40, 40), "blue").save(photos / "b.jpg")
    (photos / "broken.jpg").write_bytes((photos / "a.jpg").read_bytes()[:150])
    (tmp_path / "items.csv").write_text(
        ITEM_HEADER
        + "1,Bag,Home / Bags,a.jpg,12.50,2024-01-01,yes,red\n"
        + "2,,Home,b.jpg,,,,\n"
        + "1,Bag again,,,,,,\n"
        + ",No id,,,,,,\n"
        + "3,,,,,,,blue\n"
        + "4,Hat,,none.jpg,-1,soon,maybe,\n"
        + "5,,,broken.jpg,5,,,\n"
        + "6,Cap,,broken.jpg,NaN,,no,\n"
        + "7,Too,few\n"
        + "8,Shoe,,,cheap,,,\n"
        + "9,,,none.jpg,99999999,,,\n"
    )
    (tmp_path / "events.csv").write_text(
        EVENT_HEADER
        + "u1,1,view,2024-01-02 10:00,500,\n"
        + "u1,2,rate,2024-01-02 09:00,,4.5\n"
        + "u2,1,,,,\n"
        + "u2,5,view,2024-01-02,,\n"
        + ",1,view,2024-01-02,,\n"
        + "u3,,view,2024-01-02,,\n"
        + "u3,1,teleport,2024-01-02,,\n"
        + "u3,1,view,yesterday,,\n"
        + "u3,1,view,2024-01-02,-5,many\n"
        + "u3,1\n"
        + "u1,1,view,2024-01-02 10:00,500,\n"
    )
    return tmp_path


def rejects_of(out: Path, table: str) -> list[tuple[Any, ...]]:
    frame = pl.read_parquet(out / "rejects.parquet")
    assert frame.schema == REJECT_SCHEMA
    rows = frame.filter(pl.col("table") == table)
    return rows.select("row", "reason", "column", "value", "action").rows()


def test_every_bad_item_is_recorded_and_the_good_part_kept(shop: Path) -> None:
    summary = import_dataset(shop_map(), shop, shop / "out")
    items = read_dataset(shop / "out").items
    assert items.select(c.ITEM_ID, c.TITLE, c.CATEGORY, c.IMAGE, c.PRICE, c.AVAILABLE).rows() == [
        ("1", "Bag", "Home > Bags", "a.jpg", 12.5, True),
        ("2", None, "Home", "b.jpg", None, True),
        ("4", "Hat", None, None, None, True),
        ("6", "Cap", None, None, None, False),
        ("8", "Shoe", None, None, None, True),
    ]
    assert items["attribute.colour"].to_list() == ["red", None, None, None, None]
    assert items[c.CREATED_AT].to_list() == [datetime(2024, 1, 1, tzinfo=UTC), None, None, None, None]
    assert rejects_of(shop / "out", "items") == [
        (3, "duplicate_item", "item_id", "1", "dropped"),
        (4, "missing_id", "item_id", None, "dropped"),
        (5, "no_content", "title", None, "dropped"),
        (6, "absurd_price", "price", "-1", "kept"),
        (6, "missing_picture", "image", "none.jpg", "kept"),
        (6, "unreadable_flag", "available", "maybe", "kept"),
        (6, "unreadable_time", "created_at", "soon", "kept"),
        (7, "broken_picture", "image", "broken.jpg", "dropped"),
        (8, "absurd_price", "price", "NaN", "kept"),
        (8, "broken_picture", "image", "broken.jpg", "kept"),
        (9, "malformed_row", None, None, "dropped"),
        (10, "unreadable_number", "price", "cheap", "kept"),
        (11, "missing_picture", "image", "none.jpg", "dropped"),
    ]
    assert (summary.items_read, summary.items_kept, summary.items_with_picture, summary.items_with_text) == (
        11,
        5,
        2,
        4,
    )


def test_every_bad_event_is_recorded_and_the_rest_is_in_order(shop: Path) -> None:
    summary = import_dataset(shop_map(), shop, shop / "out")
    events = read_dataset(shop / "out").events
    assert events.select(c.USER_ID, c.ITEM_ID, c.EVENT, c.DWELL_MS, c.VALUE, c.SESSION_ID).rows() == [
        ("u2", "1", "purchase", None, None, None),
        ("u3", "1", "click", None, None, "u3-1"),
        ("u1", "2", "rating", None, 4.5, "u1-1"),
        ("u1", "1", "click", 500, None, "u1-2"),
        ("u1", "1", "click", 500, None, "u1-2"),
    ]
    assert rejects_of(shop / "out", "events") == [
        (4, "unknown_item", "item_id", "5", "dropped"),
        (5, "missing_id", "user_id", None, "dropped"),
        (6, "missing_id", "item_id", None, "dropped"),
        (7, "unknown_event", "event", "teleport", "dropped"),
        (8, "unreadable_time", "timestamp", "yesterday", "dropped"),
        (9, "unreadable_number", "dwell_ms", "-5", "kept"),
        (9, "unreadable_number", "value", "many", "kept"),
        (10, "malformed_row", None, None, "dropped"),
    ]
    assert (summary.events_read, summary.events_kept, summary.users, summary.sessions) == (11, 5, 3, 3)


def test_a_reject_holds_the_raw_row_and_the_summary_counts_it(shop: Path) -> None:
    import_dataset(shop_map(), shop, shop / "out")
    raw = pl.read_parquet(shop / "out" / "rejects.parquet").filter(pl.col("reason") == "unknown_event")["raw"][0]
    assert json.loads(raw) == {
        "user": "u3",
        "sku": "1",
        "action": "teleport",
        "at": "2024-01-02",
        "dwell": "",
        "stars": "",
    }
    summary = json.loads((shop / "out" / "summary.json").read_text())
    assert summary["rejects"]["events"]["missing_id, dropped"] == 2
    assert summary["rejects"]["items"]["absurd_price, kept"] == 2


def test_bytes_that_are_no_text_are_replaced_and_recorded(shop: Path) -> None:
    (shop / "items.csv").write_bytes(ITEM_HEADER.encode() + b"1,Caf\xe9,,,,,,\n")
    (shop / "events.csv").write_bytes(EVENT_HEADER.encode() + b"\xe9,1,view,,,\nu1,\xe9,view,,,\n")
    import_dataset(shop_map(), shop, shop / "out")
    assert read_dataset(shop / "out").items[c.TITLE].to_list() == ["Caf\ufffd"]
    assert rejects_of(shop / "out", "events") == [
        (1, "unreadable_text", "user_id", "\ufffd", "kept"),
        (2, "unknown_item", "item_id", "\ufffd", "dropped"),
    ]
    assert rejects_of(shop / "out", "items") == [(1, "unreadable_text", "title", "Caf\ufffd", "kept")]


def test_a_file_without_a_usable_row_ends_with_one_clear_error(shop: Path) -> None:
    (shop / "events.csv").write_text(EVENT_HEADER + "u1,77,view,,,\nu1,78,view,,,\nu1\n")
    with pytest.raises(DataError, match=r"events.csv has no usable row among 3 \(unknown_item 2, malformed_row 1\)"):
        import_dataset(shop_map(), shop, shop / "out")
    assert len(rejects_of(shop / "out", "events")) == 3
    assert not (shop / "out" / "dataset.json").exists()


def test_json_lines_without_one_object_end_with_one_clear_error(shop: Path) -> None:
    (shop / "events.jsonl").write_text("no\njson\n")
    with pytest.raises(DataError, match=r"events\.jsonl has no usable row among 2 \(malformed_row 2\)"):
        import_dataset(shop_map(file="events.jsonl"), shop, shop / "out")


def test_an_empty_item_file_ends_with_one_clear_error(shop: Path) -> None:
    (shop / "items.csv").write_text(ITEM_HEADER)
    with pytest.raises(DataError, match=r"items.csv has no usable row among 0 \(the file is empty\)"):
        import_dataset(shop_map(), shop, shop / "out")


def test_does_not_overwrite_its_own_source(shop: Path) -> None:
    pl.DataFrame({"user": ["u"], "sku": ["1"]}).write_parquet(shop / "events.parquet")
    with pytest.raises(ConfigError, match=r"would overwrite its own source events\.parquet"):
        import_dataset(shop_map(file="events.parquet"), shop, shop)


def test_the_gap_and_the_default_event_come_from_the_map(shop: Path) -> None:
    import_dataset(shop_map(session_gap_minutes=90, default_event="cart"), shop, shop / "out")
    events = read_dataset(shop / "out").events
    assert events.filter(pl.col(c.USER_ID) == "u1")[c.SESSION_ID].to_list() == ["u1-1", "u1-1", "u1-1"]
    assert events.filter(pl.col(c.USER_ID) == "u2")[c.EVENT].to_list() == ["cart"]


CELL = st.sampled_from(["", " ", "1", "2", "77", "u1", "view", "teleport", "2024-01-02", "soon", "-3", "4.5"])
LINE = st.one_of(
    st.tuples(st.sampled_from(["u1", "u2"]), st.sampled_from(["1", "2"]), st.just("view"), st.just(""), CELL, CELL).map(
        ",".join
    ),
    st.lists(CELL, min_size=1, max_size=8).map(",".join),
    st.sampled_from(['u1,"1,view,,,', 'u1,1,"view"x,,,', '"u1\nu2",1,view,,,', '"', "u1,1,view,,,5\r"]),
)


@given(st.lists(LINE, max_size=30))
@settings(max_examples=40, deadline=None)
def test_rows_in_are_rows_kept_plus_rows_dropped(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "items.csv").write_text(ITEM_HEADER + "1,Bag,,,,,,\n2,Hat,,,,,,\n")
        # One good row, so that the file is usable.
        (folder / "events.csv").write_text(EVENT_HEADER + "u1,1,view,,,\n" + "".join(f"{line}\n" for line in lines))
        summary = import_dataset(shop_map(), folder, folder / "out")
        rejects = pl.read_parquet(folder / "out" / "rejects.parquet")
        dropped = rejects.filter(pl.col("action") == "dropped")
        kept = rejects.filter(pl.col("action") == "kept")
        assert summary.events_read == summary.events_kept + len(dropped)
        assert dropped["row"].is_unique().all()
        assert not set(kept["row"]) & set(dropped["row"])
        assert rejects["raw"].null_count() == 0
        assert len(read_dataset(folder / "out").events) == summary.events_kept
        texts = [line for line in lines if line.strip("\r\n") and "\n" not in line]
        assert summary.events_read >= 1 + len(texts)
