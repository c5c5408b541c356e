"""A shop of a few items whose right answers can be seen by eye; used by the tests of bundle, serve and cli."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image, ImageDraw

from trifocal import columns as c
from trifocal.bundle import BundleContents
from trifocal.types import FloatArray

COLOURS = ("red", "blue", "green", "black")
KINDS = (("dress", "Fashion > Dresses"), ("boot", "Fashion > Shoes"), ("lamp", "Home > Lamps"))
WORDS = (*COLOURS, *(kind for kind, _ in KINDS))


@dataclass(frozen=True)
class WordEncoder:
    """Text -> which of `WORDS` it holds: a query encoder without a network."""

    def pooled(self, contents: list[str]) -> FloatArray:
        return np.array([[word in text.lower() for word in WORDS] for text in contents], dtype=np.float32)


def small_items() -> pl.DataFrame:
    """Return `red-dress`, `red-boot`, `red-lamp`, `blue-dress` ...: 12 items at 10 to 120; the last one is sold out."""
    names = [(colour, kind, category) for colour in COLOURS for kind, category in KINDS]
    return pl.DataFrame(
        {
            c.ITEM_ID: [f"{colour}-{kind}" for colour, kind, _ in names],
            c.TITLE: [f"{colour.title()} {kind}" for colour, kind, _ in names],
            c.DESCRIPTION: [f"A {kind} that goes with everything." for _, kind, _ in names],
            c.CATEGORY: [category for *_, category in names],
            c.IMAGE: [f"{colour}-{kind}.png" for colour, kind, _ in names],
            c.PRICE: [10.0 * (place + 1) for place in range(len(names))],
            c.CREATED_AT: [datetime(2024, 1, 1, tzinfo=UTC)] * len(names),
            c.AVAILABLE: [place != len(names) - 1 for place in range(len(names))],
        }
    )


def small_histories() -> pl.DataFrame:
    """Return what `ann` (dresses), `ben` (boots, after an impression) and `eve` (nothing but an impression) did."""
    rows = [
        ("ann", "red-dress", "click", 100),
        ("ben", "red-lamp", "impression", 150),
        ("ben", "red-boot", "click", 200),
        ("ann", "blue-dress", "click", 300),
        ("ann", "blue-dress", "purchase", 400),
        ("eve", "red-lamp", "impression", 500),
    ]
    return pl.DataFrame(
        {
            c.USER_ID: [row[0] for row in rows],
            c.ITEM_ID: [row[1] for row in rows],
            c.EVENT: [row[2] for row in rows],
            c.TIMESTAMP: [datetime.fromtimestamp(row[3], UTC) for row in rows],
            c.DEVICE: ["phone"] * len(rows),
            c.COUNTRY: ["NL"] * len(rows),
            c.VALUE: [None] * len(rows),
        },
        schema_overrides={c.TIMESTAMP: pl.Datetime("us", "UTC"), c.VALUE: pl.Float64()},
    )


def small_contents(image_root: Path | str = "/nowhere") -> BundleContents:
    """Return contents in which items of one kind lie together, the same colour next, and cheap items are popular."""
    items = small_items()
    words = WordEncoder().pooled(items[c.TITLE].to_list())
    return BundleContents(
        items=items,
        image_root=str(image_root),
        # No encoder is found there, so that search falls back on words and nothing large is loaded.
        config={"features": {"text_backbone": "/no/such/folder"}},
        weights={"layer.weight": torch.arange(6.0).reshape(2, 3)},
        item_vectors=words * np.array([1, 1, 1, 1, 3, 3, 3], np.float32),
        text_vectors=words.astype(np.float16),
        feature_state={"context": {"devices": ["desktop", "phone"], "countries": ["DE", "NL"]}},
        popularity=np.arange(items.height, 0, -1, dtype=np.float32),
        histories=small_histories(),
        metrics={"recall@20": 0.25},
        data_fingerprint="f" * 16,
        model_name="nearest",
    )


def draw_pictures(folder: Path) -> None:
    """Draw a picture for every item but the first; the second is no picture at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(small_items()[c.IMAGE].to_list()):
        if place == 1:
            (folder / name).write_bytes(b"broken")
        if place > 1:
            picture = Image.new("RGB", (224, 224), "#f3efe8")
            ImageDraw.Draw(picture).ellipse((40, 40, 184, 184), fill=name.split("-")[0])
            picture.save(folder / name)
