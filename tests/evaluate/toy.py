"""A small shop with an answer for everything: 4 users, 25 items, two recommenders of known quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from trifocal.data.cases import Cases
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.splits import Split
from trifocal.ranking import top_k
from trifocal.types import FloatArray, History, Rankings, Request, UserId

N_ITEMS = 25
EVENTS = conform(pl.DataFrame(schema={"user_id": pl.String}), EVENT_SCHEMA)
SPLIT = Split("toy", EVENTS, EVENTS, EVENTS, fingerprint="0123456789abcdef", leaky=True, note="made up")


@dataclass(frozen=True)
class FixedRecommender:
    """Ranks everybody's items by one list of scores."""

    scores: FloatArray
    name: str = "fixed"

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        scores = np.tile(self.scores, (len(requests), 1))
        return top_k(scores, k, exclude=[request.exclude for request in requests])


def cases() -> Cases:
    """Users with 0, 1, 4 and 12 events; user i wants item i, and user 3 item 20 as well."""
    lengths = (0, 1, 4, 12)
    truths = (np.array([0]), np.array([1]), np.array([2]), np.array([3, 20]))
    histories = [History.of_rows([24] * length) for length in lengths]
    requests = tuple(Request(h, user_id=UserId(f"u{i}")) for i, h in enumerate(histories))
    return Cases(tuple(UserId(f"u{i}") for i in range(4)), requests, truths)


def rising() -> FixedRecommender:
    """Proposes 0, 1, 2 ...: hits at places 1, 2, 3, and 4 with 21."""
    return FixedRecommender(-np.arange(N_ITEMS, dtype=np.float32), "rising")


def falling() -> FixedRecommender:
    """Proposes 24, 23 ...: of what is wanted only item 20, at place 5, is among the first 20."""
    return FixedRecommender(np.arange(N_ITEMS, dtype=np.float32), "falling")


def dataset(image_root: Path) -> Dataset:
    """Items i0 .. i24; titles hold a tag, to see that the page escapes it; i0 has a picture, i1 a lost one."""
    items = pl.DataFrame(
        {
            "item_id": [f"i{i}" for i in range(N_ITEMS)],
            "title": [None if i == 2 else f"<b>thing {i}" for i in range(N_ITEMS)],
            "image": ["red.jpg", "lost.jpg", *([None] * (N_ITEMS - 2))],
        }
    )
    return Dataset("toy shop", conform(items, ITEM_SCHEMA), EVENTS, image_root)
