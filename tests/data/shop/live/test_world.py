from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.data.shop.live.small_server import small_world

from trifocal.data.shop.live import read_world
from trifocal.data.shop.truth import write_truth
from trifocal.errors import DataError

WORLD = small_world()


def test_a_world_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_truth(
        tmp_path / "truth",
        WORLD.config,
        WORLD.utility,
        item_ids=WORLD.item_ids,
        user_ids=WORLD.user_ids,
        sessions=pl.DataFrame(),
    )
    world = read_world(tmp_path)
    assert (world.item_ids, world.user_ids, world.config) == (WORLD.item_ids, WORLD.user_ids, WORLD.config)
    with pytest.raises(DataError, match=r"holds no truth\.json"):
        read_world(tmp_path / "elsewhere")


def test_moments_count_from_the_first_midnight() -> None:
    assert WORLD.moment(1.5, 60) == datetime(2026, 1, 6, 12, 1, tzinfo=UTC)
    assert WORLD.day_of(date(2026, 1, 19)) == 14
