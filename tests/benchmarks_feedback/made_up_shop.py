"""A small sample shop and a bundle of it with made-up weights: all that serving needs, and nothing was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.latency.generated import Interactions
from benchmarks.latency.network_bundle import write_network_bundle
from benchmarks.latency.plan import QUICK

from trifocal import columns as c
from trifocal.data.shop import ShopConfig, generate_shop

__all__ = ["make_shop"]


def make_shop(out: Path, *, products: int, shoppers: int) -> tuple[Path, Path]:
    """Write the shop to `out`/shop and its bundle to where the benchmark looks for it; return both folders."""
    dataset = generate_shop(out / "shop", ShopConfig(products=products, shoppers=shoppers, days=30))
    clicks = dataset.events.filter(pl.col(c.EVENT) == "click").sort(c.USER_ID, c.TIMESTAMP)
    items = dataset.items[c.ITEM_ID].to_list()
    found = Interactions(
        user_rows=clicks[c.USER_ID].rank("dense").cast(pl.Int64).to_numpy() - 1,
        item_rows=clicks[c.ITEM_ID].replace_strict(items, list(range(len(items)))).cast(pl.Int64).to_numpy(),
        clusters=dataset.items[c.CATEGORY].rank("dense").cast(pl.Int64).to_numpy() - 1,
        timestamps_s=clicks[c.TIMESTAMP].dt.epoch("s").to_numpy(),
    )
    bundle = out / "shop-run" / "trifocal" / "bundle"
    write_network_bundle(dataset, found, QUICK, bundle, np.random.default_rng(0))
    return out / "shop", bundle
