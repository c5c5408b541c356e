from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.shop.live.small_server import small_world

from trifocal.data.shop.live import draw_new_items
from trifocal.data.shop.wares import WARES
from trifocal.errors import ConfigError

WORLD = small_world()


def test_new_items_are_whole_and_their_utilities_are_known(tmp_path: Path) -> None:
    world, items = draw_new_items(WORLD, 3, tmp_path, seed=1)
    assert world.item_ids[-3:] == tuple(item.item_id for item in items) == ("new-1-00001", "new-1-00002", "new-1-00003")
    rows = world.item_rows(["new-1-00002", "item-00001"])
    assert rows.tolist() == [61, 0]
    shoppers, days = np.arange(20), np.full(20, 14.0)
    both = world.utility.block(shoppers, days, np.arange(63))
    assert np.allclose(both[:, :60], WORLD.utility.block(shoppers, days, np.arange(60)), atol=1e-5)
    assert both[:, 60:].std() > 0.5
    for item, code in zip(items, world.utility.products.category[-3:], strict=True):
        assert item.category == WARES[code].path
        with Image.open(item.picture) as picture:
            assert picture.format == "JPEG"
        assert base64.b64decode(str(item.body()["picture"])) == item.picture.read_bytes()


def test_equal_seeds_give_equal_items(tmp_path: Path) -> None:
    _, one = draw_new_items(WORLD, 2, tmp_path / "a", seed=1)
    _, two = draw_new_items(WORLD, 2, tmp_path / "b", seed=1)
    _, other = draw_new_items(WORLD, 2, tmp_path / "c", seed=2)
    assert [item.body() for item in one] == [item.body() for item in two]
    assert [item.title for item in one] != [item.title for item in other]


def test_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="61 new items cannot be drawn for a shop of 60 products; ask for 1 to 60"):
        draw_new_items(WORLD, 61, tmp_path, seed=1)
