"""The H&M reader, on small files in both layouts, and on the real week where it is at hand."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from trifocal import columns as c
from trifocal.data import read_dataset
from trifocal.data.importing import import_plan
from trifocal.data.readers import detect_plan

ATTRIBUTES = {
    "product_type_name": "Vest top",
    "product_group_name": "Garment Upper body",
    "graphical_appearance_name": "Solid",
    "colour_group_name": "White",
    "department_name": "Jersey Basic",
    "index_name": "Ladieswear",
    "index_group_name": "Ladieswear",
    "section_name": "Womens Everyday Basics",
    "garment_group_name": "Jersey Basic",
}
REAL = Path(os.environ.get("TRIFOCAL_DATA", "/nowhere")) / "hm-week"


def save_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "white").save(path)


def test_reads_the_files_as_kaggle_publishes_them(tmp_path: Path) -> None:
    articles = [
        {"article_id": "0108775015", "prod_name": "Strap top", "detail_desc": "Jersey top, narrow.", **ATTRIBUTES},
        {"article_id": "0108775044", "prod_name": "Strap top", "detail_desc": None, **ATTRIBUTES},
    ]
    pl.DataFrame(articles).write_csv(tmp_path / "articles.csv")
    save_picture(tmp_path / "images" / "010" / "0108775015.jpg")
    (tmp_path / "transactions_train.csv").write_text(
        "t_dat,customer_id,article_id,price,sales_channel_id\n"
        "2018-09-21,00ab,0108775044,0.05,2\n"
        "2018-09-20,00ab,0108775015,0.05,1\n"
        "2018-09-20,00ab,0999999999,0.05,1\n"
    )
    summary = import_plan(detect_plan(tmp_path), tmp_path / "out")
    dataset = read_dataset(tmp_path / "out")
    assert dataset.items[c.IMAGE].to_list() == ["010/0108775015.jpg", None]
    assert dataset.items[c.CATEGORY][0] == "Ladieswear > Garment Upper body > Vest top"
    assert dataset.items["attribute.product_type"].to_list() == ["Vest top", "Vest top"]
    assert dataset.items["attribute.garment_group"][0] == "Jersey Basic"
    assert (dataset.image_root / dataset.items[c.IMAGE][0]).is_file()
    assert dataset.events.select(c.ITEM_ID, c.EVENT, c.TIMESTAMP, c.DEVICE).rows() == [
        ("0108775015", "purchase", datetime(2018, 9, 20, tzinfo=UTC), "store"),
        ("0108775044", "purchase", datetime(2018, 9, 21, tzinfo=UTC), "online"),
    ]
    assert summary.rejects == {"items": {"missing_picture, kept": 1}, "events": {"unknown_item, dropped": 1}}


def test_reads_the_packed_week(tmp_path: Path) -> None:
    path = "Ladieswear > Garment Upper body > Vest top"
    item = {"item_id": "0108775044", "title": "Strap top", "description": "Jersey.", "category": path, **ATTRIBUTES}
    pl.DataFrame([item | {"image": "0108775044.jpg"}]).write_csv(tmp_path / "items.csv.gz", compression="gzip")
    save_picture(tmp_path / "images" / "0108775044.jpg")
    pl.DataFrame(
        {
            "user_id": [7],
            "item_id": ["0108775044"],
            "timestamp": [1_600_214_400],
            "event": ["purchase"],
            "quantity": [2],
            "sales_channel_id": [2],
        }
    ).write_parquet(tmp_path / "interactions.parquet")
    import_plan(detect_plan(tmp_path), tmp_path / "out")
    dataset = read_dataset(tmp_path / "out")
    assert dataset.items.select(c.ITEM_ID, c.TITLE, c.CATEGORY, c.IMAGE).rows() == [
        ("0108775044", "Strap top", path, "0108775044.jpg")
    ]
    assert dataset.events.select(c.USER_ID, c.TIMESTAMP, c.SESSION_ID, c.DEVICE, c.VALUE).rows() == [
        ("7", datetime(2020, 9, 16, tzinfo=UTC), "7-1", "online", 2.0)
    ]


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.is_dir(), reason="TRIFOCAL_DATA names no folder with hm-week")
def test_the_real_week_is_read_whole(tmp_path: Path) -> None:
    summary = import_plan(detect_plan(REAL), tmp_path / "out")
    assert (summary.items_kept, summary.items_with_picture, summary.items_with_text) == (12_044, 12_044, 12_044)
    assert (summary.events_read, summary.events_kept, summary.users) == (202_229, 202_229, 67_293)
    assert summary.rejects == {"items": {}, "events": {}}
