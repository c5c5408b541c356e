from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from tests.evaluate.toy import SPLIT

from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.evaluate.facts import item_facts


def dataset(folder: Path) -> Dataset:
    Image.new("RGB", (4, 4)).save(folder / "a.jpg")
    items = pl.DataFrame(
        {
            "item_id": ["a", "b", "c", "d"],
            "title": ["shoe", None, "  ", None],
            "description": [None, "a bag", "", None],
            "category": ["Women > Shoes", "Women", None, "Men > Hats"],
            "image": ["a.jpg", "lost.jpg", None, None],
        }
    )
    return Dataset("toy", conform(items, ITEM_SCHEMA), conform(pl.DataFrame({"user_id": []}), EVENT_SCHEMA), folder)


def events(*pairs: tuple[str, str, str]) -> pl.DataFrame:
    frame = pl.DataFrame(pairs, schema=["user_id", "item_id", "event"], orient="row")
    return conform(frame, EVENT_SCHEMA)


def test_each_item_has_its_facts(tmp_path: Path) -> None:
    train = events(
        ("u", "a", "click"), ("u", "a", "purchase"), ("v", "a", "cart"), ("w", "b", "click"), ("v", "c", "impression")
    )
    found = item_facts(dataset(tmp_path), replace(SPLIT, train=train))
    # Users, not events; an impression is nothing that is learned from.
    assert found.train_counts.tolist() == [2, 1, 0, 0]
    assert found.train_users == 3
    assert found.categories == ("Women", "Women", "", "Men")
    assert found.has_text.tolist() == [True, True, False, False]
    assert found.has_image.tolist() == [True, False, False, False]
    assert found.text_vectors is None


def test_vectors_are_taken_along(tmp_path: Path) -> None:
    vectors = np.eye(4, dtype=np.float32)
    found = item_facts(dataset(tmp_path), SPLIT, text_vectors=vectors, image_vectors=2 * vectors)
    assert found.train_counts.tolist() == [0, 0, 0, 0]
    assert found.text_vectors is vectors
    assert found.image_vectors is not None
