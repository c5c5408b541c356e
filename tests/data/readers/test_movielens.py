"""The MovieLens reader, on small files in each layout, and on the real sets where they are at hand."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from trifocal import columns as c
from trifocal.data import Dataset, read_dataset
from trifocal.data.importing import import_plan
from trifocal.data.readers import detect_plan

ITEM = (c.ITEM_ID, c.TITLE, c.CATEGORY, "attribute.genres", "attribute.year")
EVENT = (c.USER_ID, c.ITEM_ID, c.EVENT, c.TIMESTAMP, c.VALUE)
# 978,300,760 s after 1970 is 2000-12-31 22:12:40 UTC.
MOMENT = datetime(2000, 12, 31, 22, 12, 40, tzinfo=UTC)
REAL = Path(os.environ.get("TRIFOCAL_DATA", "/nowhere"))


def imported(folder: Path) -> Dataset:
    summary = import_plan(detect_plan(folder, "movielens"), folder / "out")
    assert summary.rejects == {"items": {}, "events": {}}
    return read_dataset(folder / "out")


def test_reads_ml_100k(tmp_path: Path) -> None:
    flags = ["0"] * 19
    flags[3] = flags[5] = "1"
    story = "|".join(["1", "Toy Story (1995)", "01-Jan-1995", "", "http://x", *flags])
    flags[5] = "0"
    poor = "|".join(["2", "Misérables, Les", "", "", "http://x", *flags])
    (tmp_path / "u.item").write_text(f"{story}\n{poor}\n", encoding="latin-1")
    (tmp_path / "u.data").write_text("7\t2\t3\t978300760\n7\t1\t5\t978300759\n")
    dataset = imported(tmp_path)
    assert dataset.items.select(ITEM).rows() == [
        ("1", "Toy Story", "Animation", "Animation, Comedy", "1995"),
        ("2", "Misérables, Les", "Animation", "Animation", None),
    ]
    assert dataset.events.select(EVENT).rows()[1] == ("7", "2", "rating", MOMENT, 3.0)


def test_reads_ml_1m(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_bytes('1::"Amélie" (2001)::Comedy|Romance\n'.encode("latin-1"))
    (tmp_path / "ratings.dat").write_text("1::1::5::978300760\n")
    dataset = imported(tmp_path)
    assert dataset.items.select(ITEM).rows() == [("1", '"Amélie"', "Comedy", "Comedy, Romance", "2001")]
    assert dataset.events.select(EVENT).rows() == [("1", "1", "rating", MOMENT, 5.0)]


def test_reads_ml_latest(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n1,"American President, The (1995)",Comedy|Drama\n2,Untitled,(no genres listed)\n'
    )
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,4.5,978300760\n")
    dataset = imported(tmp_path)
    assert dataset.items.select(ITEM).rows() == [
        ("1", "American President, The", "Comedy", "Comedy, Drama", "1995"),
        ("2", "Untitled", None, None, None),
    ]
    assert dataset.events.select(EVENT).rows() == [("1", "2", "rating", MOMENT, 4.5)]


def posters(folder: Path, events: dict[str, list[Any]]) -> Path:
    names = ("item_id", "title", "year", "category", "description", "director", "actors", "image")
    values = ("1", "Toy Story", "1995", "Animation|Comedy", "Toys.", "John Lasseter", "Tom Hanks", "1.jpg")
    second = ("2", "Heat", "1995", "Action", "Thieves.", "Michael Mann", "Al Pacino", "1.jpg")
    pl.DataFrame([values, second], schema=names, orient="row").write_csv(folder / "items.csv.gz", compression="gzip")
    (folder / "images").mkdir()
    Image.new("RGB", (8, 8)).save(folder / "images" / "1.jpg")
    pl.DataFrame(events).write_parquet(folder / "interactions.parquet")
    return folder


def test_reads_posters_with_times(tmp_path: Path) -> None:
    events: dict[str, list[Any]] = {"user_id": [1], "item_id": [2], "rating": [4.0], "timestamp": [978_300_760]}
    dataset = imported(posters(tmp_path, events))
    assert dataset.items.select(ITEM).rows()[0] == ("1", "Toy Story", "Animation", "Animation, Comedy", "1995")
    assert dataset.items["attribute.director"].to_list() == ["John Lasseter", "Michael Mann"]
    assert dataset.items[c.IMAGE].to_list() == ["1.jpg", "1.jpg"]
    assert dataset.events.select(EVENT).rows() == [("1", "2", "rating", MOMENT, 4.0)]


def test_reads_posters_of_which_only_the_order_is_known(tmp_path: Path) -> None:
    # As text "10" comes before "9"; users and places must be ordered as numbers.
    events: dict[str, list[Any]] = {"user_id": [10, 9, 9], "item_id": [1, 1, 2], "seq": [0, 10, 9]}
    events["event"] = ["rate"] * 3
    dataset = imported(posters(tmp_path, events))
    assert dataset.events.select(c.USER_ID, c.ITEM_ID).rows() == [("9", "2"), ("9", "1"), ("10", "1")]
    assert dataset.events[c.TIMESTAMP].null_count() == 3


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "items", "events", "users"),
    [("ml100k-posters", 1_439, 99_247, 943), ("ml1m-posters", 3_257, 998_407, 6_040)],
)
def test_the_real_sets_are_read_whole(tmp_path: Path, name: str, items: int, events: int, users: int) -> None:
    if not (REAL / name).is_dir():
        pytest.skip(f"TRIFOCAL_DATA names no folder with {name}")
    summary = import_plan(detect_plan(REAL / name), tmp_path)
    assert (summary.items_kept, summary.items_with_picture) == (items, items)
    assert (summary.events_kept, summary.users) == (events, users)
    assert summary.rejects == {"items": {}, "events": {}}
