"""The whole audit on a small catalogue read by letters: every kind of mistake is planted once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.features.small_catalogue import LetterSource
from tests.train.small_world import without_weights

from trifocal import columns as c
from trifocal.audit.catalogue import Audited, audit_catalogue
from trifocal.audit.config import AuditConfig
from trifocal.audit.page import audit_page
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.pictures import without_pictures
from trifocal.features.config import FeaturesConfig
from trifocal.report import render_report
from trifocal.types import FloatArray

COUNT = 60
KINDS = ("dress", "lamp", "vase")
CONFIG = AuditConfig(category_items=5, duplicate_cosine=0.9)


class ColourSource(LetterSource):
    """Reads of a picture the mean colours of its quarters."""

    def __init__(self) -> None:
        super().__init__("image-colours", "colours-1")
        self.width = 12

    def encode(self, contents: list[str]) -> list[FloatArray]:  # type: ignore[override]  # a list is enough here
        small = [np.asarray(Image.open(path).convert("RGB").resize((2, 2)), np.float32) for path in contents]
        return [np.tile(one.reshape(1, 12) / 255, (4, 1)) for one in small]


def shop(folder: Path) -> Dataset:
    """Return a shop in which 1 has the picture of 0, 2 a broken, 3 a blank one, 4 no text."""
    random = np.random.default_rng(0)
    for number in range(COUNT):
        noise = random.integers(0, 120, (6, 6, 3), dtype=np.uint8)
        noise[..., number % 3] += 120
        Image.fromarray(noise).resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    (folder / "1.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "2.png").write_bytes(b"no picture")
    Image.new("RGB", (64, 64), (9, 9, 9)).save(folder / "3.png")
    rows = [
        {
            c.ITEM_ID: f"i{number}",
            c.TITLE: None if number == 4 else f"{KINDS[number % 3]} {chr(97 + number % 23)}{chr(97 + number // 3)}",
            c.DESCRIPTION: None if number == 4 else f"a fine {KINDS[number % 3]} for the house",
            c.CATEGORY: KINDS[number % 3],
            c.IMAGE: f"{number}.png",
        }
        for number in range(COUNT)
    ]
    items = conform(pl.DataFrame(rows), ITEM_SCHEMA)
    return Dataset("small", items, conform(pl.DataFrame(), EVENT_SCHEMA), folder)


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Audited, Dataset]:
    without_weights(monkeypatch)
    monkeypatch.setattr("trifocal.features.items.image_source", lambda *_, **__: ColourSource())
    (tmp_path / "pictures").mkdir()
    dataset = shop(tmp_path / "pictures")
    features = FeaturesConfig(compact_size=8, image_grid=2)
    folders = {"cache_folder": tmp_path / "features", "work_folder": tmp_path / "work"}
    return audit_catalogue(dataset, features, CONFIG, **folders), dataset


def test_every_planted_mistake_is_found(audited: tuple[Audited, Dataset]) -> None:
    found = audited[0].findings
    errors = found.filter(pl.col("severity") == "error").select("item_id", "finding", "other_item_id").rows()
    assert ("i2", "broken", None) in errors
    assert ("i3", "blank", None) in errors
    assert ("i4", "text", None) in errors
    assert ("i0", "duplicate", "i1") in errors
    assert (audited[0].products, audited[0].pictures) == (COUNT, COUNT)
    # Broken, blank and without text: three that cannot be compared.
    assert audited[0].paired <= COUNT - 3


def test_the_page_shows_each_kind_and_stands_alone(audited: tuple[Audited, Dataset]) -> None:
    html = render_report(audit_page(*audited, CONFIG, "trifocal audit small", "2026-01-01"))
    for words in (
        "Broken pictures",
        "Near-duplicate pictures",
        "it has neither title nor description",
        "data:image/jpeg",
    ):
        assert words in html
    assert "<script" not in html


def test_left_out_pictures_are_missing_and_their_items_stay(tmp_path: Path) -> None:
    dataset = shop(tmp_path)
    left = without_pictures(dataset, {"i1", "elsewhere"})
    assert left.items.filter(pl.col(c.IMAGE).is_null())[c.ITEM_ID].to_list() == ["i1"]
    assert left.items.drop(c.IMAGE).equals(dataset.items.drop(c.IMAGE))
    assert without_pictures(dataset, ()).items.equals(dataset.items)
