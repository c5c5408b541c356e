"""Generates the sample shop: latents -> behaviour -> tables, texts and pictures, with the truth beside them.

```
FOLDER/items.parquet events.parquet dataset.json summary.json     a data set like any other
      /images/<item_id>.jpg
      /truth/...                                                  for evaluation only
```
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from trifocal.columns import ATTRIBUTE_PREFIX
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform, write_dataset
from trifocal.data.shop import tables
from trifocal.data.shop.behaviour import Behaviour, play
from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.gallery import write_pictures
from trifocal.data.shop.products import sample_products
from trifocal.data.shop.shoppers import sample_shoppers
from trifocal.data.shop.truth import write_truth
from trifocal.data.shop.utility import Utility, Weights
from trifocal.data.shop.visits import Visits, sample_visits
from trifocal.data.shop.writing import write_texts

__all__ = ["generate_shop", "simulate"]


def simulate(config: ShopConfig) -> tuple[Utility, Visits, Behaviour]:
    """Return the latents of a shop and everything that happens in it; in memory, without texts and pictures."""
    products_rng, shoppers_rng, visits_rng, play_rng = (
        np.random.default_rng([config.seed, stage]) for stage in range(4)
    )
    products = sample_products(config, products_rng)
    utility = Utility(
        products=products,
        shoppers=sample_shoppers(config, products, shoppers_rng),
        weights=Weights.of_signal(config.visual_signal),
        days=config.days,
        first_day_of_year=config.start.timetuple().tm_yday,
    )
    visits = sample_visits(utility, visits_rng)
    return utility, visits, play(utility, visits, play_rng)


def generate_shop(folder: Path, config: ShopConfig) -> Dataset:
    """Return the shop that `config` describes, written to `folder`: data set, pictures, truth, summary.

    Files of an earlier shop are overwritten; equal settings write equal files.
    """
    utility, visits, behaviour = simulate(config)
    products = utility.products
    item_ids, user_ids = tables.ids("item", config.products), tables.ids("user", config.shoppers)
    texts = write_texts(products, np.random.default_rng([config.seed, 4]))
    events = tables.event_table(utility, visits, behaviour, item_ids=item_ids, user_ids=user_ids, start=config.start)
    dataset = Dataset(
        name="shop",
        items=conform(
            tables.item_table(products, texts, item_ids, config.start), ITEM_SCHEMA, extra_prefix=ATTRIBUTE_PREFIX
        ),
        events=conform(events, EVENT_SCHEMA),
        image_root=folder / "images",
    )
    write_pictures(dataset.image_root, item_ids, products.category, products.style, seed=config.seed)
    write_truth(
        folder / "truth",
        config,
        utility,
        item_ids=item_ids,
        user_ids=user_ids,
        sessions=tables.session_table(utility, visits, behaviour, user_ids),
    )
    (folder / "summary.json").write_text(
        json.dumps(tables.summary(dataset.items, dataset.events), indent=2) + "\n", encoding="utf-8"
    )
    # Last, so that a folder with dataset.json is a whole data set.
    write_dataset(dataset, folder)
    return dataset
