"""A sample shop -> CSV files as a shop system might export them, with names of its own; for the tutorial.

`python scripts/export_shop.py SHOP OUT`
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import polars as pl

_ACTIONS = {"impression": "shown", "click": "view", "cart": "basket", "purchase": "order"}


def export(shop: Path, out: Path) -> None:
    """Write products.csv, log.csv and photos/ of the data set in `shop` to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    items, events = pl.read_parquet(shop / "items.parquet"), pl.read_parquet(shop / "events.parquet")
    items.select(
        sku="item_id",
        name="title",
        text="description",
        path=pl.col("category").str.replace_all(" > ", "/"),
        photo="image",
        price="price",
    ).write_csv(out / "products.csv")
    events.select(
        visitor="user_id",
        sku="item_id",
        action=pl.col("event").replace(_ACTIONS),
        at=pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ).write_csv(out / "log.csv")
    shutil.copytree(shop / "images", out / "photos", dirs_exist_ok=True)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
