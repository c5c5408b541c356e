"""A catalogue of a few drawn items and encoders without weights, for tests of everything after the encoders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import ITEM_SCHEMA, conform
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.context import ContextVocabulary
from trifocal.features.items import CatalogueFeatures, FeatureState
from trifocal.features.token_cache import TokenCache, text_key
from trifocal.types import FloatArray

WIDTH = 6


class LetterSource:
    """The in-memory twin of an encoder: one token a word, features from its letters; counts what it encodes."""

    def __init__(self, name: str = "text-letters", fingerprint: str = "letters-1") -> None:
        self.name, self.fingerprint, self.width = name, fingerprint, WIDTH
        self.encoded: list[str] = []

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        self.encoded += contents
        return [np.stack([_letters(word) for word in content.split() or [""]]) for content in contents]


def _letters(word: str) -> FloatArray:
    values = np.zeros(WIDTH, dtype=np.float32)
    for letter in word:
        values[ord(letter) % WIDTH] += 1
    return values


def small_items(size: int = 8) -> pl.DataFrame:
    """Items i0 ...; i1 has no text but a picture, i2 no picture, the others both; i3 has no price."""
    rows = [
        {
            c.ITEM_ID: f"i{n}",
            c.TITLE: None if n == 1 else f"{'red' if n % 2 else 'blue'} thing {n}",
            c.CATEGORY: "Home > Lamp" if n % 3 else "Fashion > Hat",
            c.IMAGE: None if n == 2 else f"i{n}.png",
            c.PRICE: None if n == 3 else 10.0 * (n + 1),
            c.CREATED_AT: datetime(2026, 1, 1, tzinfo=UTC),
            "attribute.brand": "Anka" if n % 2 else "Birk",
        }
        for n in range(size)
    ]
    return conform(pl.DataFrame(rows), ITEM_SCHEMA, extra_prefix=c.ATTRIBUTE_PREFIX)


def small_features(folder: Path, size: int = 8) -> tuple[CatalogueFeatures, FeatureState]:
    """The features of `small_items`; a picture is four cells."""
    items = small_items(size)
    text, image = TokenCache(folder, LetterSource()), TokenCache(folder, LetterSource("image-letters"))
    titles = items[c.TITLE].to_list()
    pictures = [None if name is None else f"{name} a bb ccc" for name in items[c.IMAGE]]
    text_keys = tuple(None if t is None else text_key(t) for t in titles)
    image_keys = tuple(None if p is None else text_key(p) for p in pictures)
    for cache, contents, keys in ((text, titles, text_keys), (image, pictures, image_keys)):
        present = [(content, key) for content, key in zip(contents, keys, strict=True) if content and key]
        cache.add([content for content, _ in present], [key for _, key in present])
    attributes = AttributeEncoder.fit(items, price_buckets=4, max_values=100)
    features = CatalogueFeatures(text, image, text_keys, image_keys, attributes.encode(items), 4)
    context = ContextVocabulary.fit(["mobile", "desktop"], ["SE"])
    return features, FeatureState(attributes, context, WIDTH, WIDTH)
