from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from tests.features.small_catalogue import small_items

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.errors import DataError
from trifocal.train.distill_speed import encoding_speeds, whole_items
from trifocal.types import IntArray


def dataset(items: pl.DataFrame) -> Dataset:
    return Dataset("small", items, pl.DataFrame(), Path())


def test_every_encoder_sees_the_same_items_in_turn_in_one_thread() -> None:
    seen: list[tuple[str, list[int], int]] = []

    def encoder(name: str, work: int) -> object:
        def encode(rows: IntArray) -> None:
            seen.append((name, rows.tolist(), torch.get_num_threads()))
            for _ in range(work * len(rows)):
                np.sort(np.arange(20_000)[::-1])

        return encode

    threads = torch.get_num_threads()
    fast, slow = encoding_speeds([encoder("fast", 1), encoder("slow", 20)], np.arange(16), turns=4)  # type: ignore[list-item]
    assert (fast.items, slow.items) == (16, 16)
    assert fast.items_per_s > 4 * slow.items_per_s > 0
    assert torch.get_num_threads() == threads
    measured = seen[2:]
    assert [name for name, _, _ in measured] == ["fast", "slow"] * 4
    assert [row for name, rows, _ in measured if name == "slow" for row in rows] == list(range(16))
    assert {count for _, _, count in seen} == {1}


def test_only_items_with_text_and_picture_are_measured() -> None:
    rows = whole_items(dataset(small_items()), 100)
    # The second has no text, the third no picture.
    assert sorted(rows.tolist()) == [0, 3, 4, 5, 6, 7]
    assert whole_items(dataset(small_items()), 3).tolist() == rows[:3].tolist()


def test_a_catalogue_of_halves_is_refused() -> None:
    items = small_items().with_columns(pl.lit(None, pl.String).alias(c.IMAGE))
    with pytest.raises(DataError, match="no item has both text and picture"):
        whole_items(dataset(items), 10)
