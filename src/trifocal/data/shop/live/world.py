"""What the live simulation knows of a shop: its true utility and its ids. Reads the folder `truth` of a shop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.truth import read_truth
from trifocal.data.shop.utility import Utility
from trifocal.errors import DataError
from trifocal.types import IntArray

__all__ = ["World", "read_world"]


@dataclass(frozen=True)
class World:
    """A shop with its truth.

    Attributes:
        utility: of every shopper for every product.
        user_ids: of the shoppers, in their order.
        item_ids: of the products, in their order.
        config: what the shop was generated from.
    """

    utility: Utility
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    config: ShopConfig

    def item_rows(self, item_ids: Sequence[str]) -> IntArray:
        """Return the rows of products.

        Raises:
            DataError: for an id that the shop does not have.
        """
        unknown = next((item for item in item_ids if item not in self._rows), None)
        if unknown is not None:
            raise DataError(
                f"the server showed {unknown!r}, none of the {len(self.item_ids)} products of this shop; "
                "give the folder of the shop that its bundle was trained on"
            )
        return np.array([self._rows[item] for item in item_ids], dtype=np.int64)

    def moment(self, day: float, seconds: float = 0.0) -> datetime:
        """Return the time `seconds` after `day`, counted from the first midnight of the shop."""
        start = datetime(self.config.start.year, self.config.start.month, self.config.start.day, tzinfo=UTC)
        return start + timedelta(days=day, seconds=seconds)

    def day_of(self, day: date) -> int:
        """Return how many days after the first one of the shop `day` is."""
        return (day - self.config.start).days

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.item_ids)}


def read_world(shop: Path) -> World:
    """Return the world of the shop in the folder `shop`.

    Raises:
        DataError: when there is no truth in it.
    """
    utility, user_ids, item_ids = read_truth(shop / "truth")
    about = json.loads((shop / "truth" / "truth.json").read_text(encoding="utf-8"))
    return World(utility, tuple(user_ids), tuple(item_ids), ShopConfig(**about["config"]))
