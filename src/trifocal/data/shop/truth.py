"""The truth behind the sample shop, on disk: every latent and weight that the utility is made of.

```
FOLDER/items.parquet      latents of the products, in the order of the catalogue
      /shoppers.parquet   latents of the shoppers
      /sessions.parquet   intent and true satisfaction of each session
      /truth.json         weights, formula, meaning of the axes
```

For evaluation only: nothing that learns may read it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from trifocal.data.shop import utility as formula
from trifocal.data.shop.behaviour import CLICK_SHARPNESS
from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.products import TEXT_PROPERTIES, Products
from trifocal.data.shop.shoppers import COUNTRIES, DEVICES, Shoppers
from trifocal.data.shop.style import FAMILIES, VISUAL_BLOCKS, Style
from trifocal.data.shop.utility import Utility, Weights
from trifocal.data.shop.wares import WARES
from trifocal.errors import DataError
from trifocal.types import FloatArray

__all__ = ["read_truth", "true_utility", "write_truth"]

_DAY_S = 86_400
_STYLE_PREFIX = "style."


def write_truth(
    folder: Path,
    config: ShopConfig,
    utility: Utility,
    *,
    item_ids: Sequence[str],
    user_ids: Sequence[str],
    sessions: pl.DataFrame,
) -> None:
    """Write the truth of a generated shop to `folder`, creating it."""
    folder.mkdir(parents=True, exist_ok=True)
    products = {f.name: getattr(utility.products, f.name) for f in fields(Products) if f.name != "style"}
    style = {f"{_STYLE_PREFIX}{f.name}": getattr(utility.products.style, f.name) for f in fields(Style)}
    pl.DataFrame({"item_id": item_ids, **_columns({**products, **style})}).write_parquet(folder / "items.parquet")
    shoppers = {f.name: getattr(utility.shoppers, f.name) for f in fields(Shoppers)}
    pl.DataFrame({"user_id": user_ids, **_columns(shoppers)}).write_parquet(folder / "shoppers.parquet")
    sessions.write_parquet(folder / "sessions.parquet")
    about = {
        "config": config.model_dump(mode="json"),
        "weights": asdict(utility.weights),
        "days": utility.days,
        "first_day_of_year": utility.first_day_of_year,
        "click_sharpness": CLICK_SHARPNESS,
        "click_threshold": utility.weights.click_threshold,
        "formula": formula.__doc__,
        "categories": [asdict(ware) for ware in WARES],
        "visual_axes": [f"{block}.{name}" for block, names in VISUAL_BLOCKS.items() for name in names],
        "text_axes": list(TEXT_PROPERTIES),
        "families": list(FAMILIES),
        "devices": list(DEVICES),
        "countries": list(COUNTRIES),
    }
    (folder / "truth.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _columns(arrays: dict[str, FloatArray]) -> dict[str, pl.Series]:
    """Return each (N,) array as a column, each (N, D) array as a column of fixed-size arrays."""
    return {name: pl.Series(name, np.ascontiguousarray(values)) for name, values in arrays.items()}


def read_truth(folder: Path) -> tuple[Utility, list[str], list[str]]:
    """Return the utility of the shop whose truth lies in `folder`, its user ids and its item ids.

    Raises:
        DataError: when there is no truth in `folder`.
    """
    if not (folder / "truth.json").is_file():
        raise DataError(
            f"{folder} holds no truth.json; give the `truth` folder of a shop made by `trifocal shop generate`"
        )
    about = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    items = pl.read_parquet(folder / "items.parquet")
    shoppers = pl.read_parquet(folder / "shoppers.parquet")
    style = Style(**{f.name: items[_STYLE_PREFIX + f.name].to_numpy() for f in fields(Style)})
    products = {f.name: items[f.name].to_numpy() for f in fields(Products) if f.name != "style"}
    utility = Utility(
        products=Products(**products, style=style),
        shoppers=Shoppers(**{f.name: shoppers[f.name].to_numpy() for f in fields(Shoppers)}),
        weights=Weights(**about["weights"]),
        days=about["days"],
        first_day_of_year=about["first_day_of_year"],
    )
    return utility, shoppers["user_id"].to_list(), items["item_id"].to_list()


def true_utility(truth_folder: Path, user_ids: Sequence[str], at_time: datetime | None = None) -> FloatArray:
    """Return (users, items) true utilities, items in the order of the catalogue.

    Args:
        truth_folder: the folder `truth` of a generated shop.
        user_ids: shoppers, in the order wanted.
        at_time: the moment, with its time zone; None = the end of the simulated time. An item is valued whether
            or not it exists yet.

    Raises:
        DataError: for a user id that the shop does not have.
    """
    utility, known, _ = read_truth(truth_folder)
    rows = {user: row for row, user in enumerate(known)}
    unknown = [user for user in user_ids if user not in rows]
    if unknown:
        raise DataError(f"{unknown[0]!r} is no shopper of {truth_folder}; its ids run from {known[0]} to {known[-1]}")
    about = json.loads((truth_folder / "truth.json").read_text(encoding="utf-8"))
    day = float(utility.days) if at_time is None else days_since(date.fromisoformat(about["config"]["start"]), at_time)
    chosen = np.array([rows[user] for user in user_ids], dtype=np.int64)
    columns = np.arange(len(utility.products), dtype=np.int64)
    return utility.block(chosen, np.full(len(chosen), day), columns)


def days_since(start: date, moment: datetime) -> float:
    """Return the days from midnight (UTC) of `start` to `moment`.

    >>> days_since(date(2026, 1, 5), datetime(2026, 1, 6, 12, tzinfo=UTC))
    1.5
    """
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return (moment - midnight).total_seconds() / _DAY_S
