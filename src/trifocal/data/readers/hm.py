"""H&M Personalized Fashion: the Kaggle files as H&M publishes them, or the packed one-week extract.

```
Kaggle     articles.csv   transactions_train.csv   images/010/0108775015.jpg
extract    items.csv.gz   interactions.parquet     images/0108775015.jpg
```

The price of a transaction is scaled by its owner to an unknown unit, so items get no price.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from trifocal.data.column_map import column_map_of
from trifocal.data.importing import ImportPlan
from trifocal.data.text_blocks import first_line

__all__ = ["hm_plan"]

_CHANNELS = {"1": "store", "2": "online"}
_DEVICE = "__device__"
_ATTRIBUTES = {
    "product_type": "product_type_name",
    "product_group": "product_group_name",
    "colour_group": "colour_group_name",
    "graphical_appearance": "graphical_appearance_name",
    "department": "department_name",
    "index_group": "index_group_name",
    "section": "section_name",
    "garment_group": "garment_group_name",
}
_EXTRACT: dict[str, Any] = {
    "items": {
        "file": "items.csv.gz",
        "image_root": "images",
        "columns": {
            "item_id": "item_id",
            "title": "title",
            "description": "description",
            "category": "category",
            "image": "image",
            "attributes": _ATTRIBUTES,
        },
    },
    "events": {
        "file": "interactions.parquet",
        "timestamp_format": "s",
        "columns": {
            "user_id": "user_id",
            "item_id": "item_id",
            "event": "event",
            "timestamp": "timestamp",
            "device": _DEVICE,
            "value": "quantity",
        },
    },
}
_KAGGLE: dict[str, Any] = {
    "items": {
        "file": "articles.csv",
        "image_root": "images",
        "image_pattern": "{item_id:.3}/{item_id}.jpg",
        "columns": {
            "item_id": "article_id",
            "title": "prod_name",
            "description": "detail_desc",
            "category": ["index_name", "product_group_name", "product_type_name"],
            "attributes": _ATTRIBUTES,
        },
    },
    "events": {
        "file": "transactions_train.csv",
        "timestamp_format": "%Y-%m-%d",
        "columns": {
            "user_id": "customer_id",
            "item_id": "article_id",
            "timestamp": "t_dat",
            "device": _DEVICE,
        },
    },
}


def hm_plan(source: Path) -> ImportPlan | None:
    """Return how to import the H&M folder `source`, or None where it holds neither layout."""
    for content in (_EXTRACT, _KAGGLE):
        files = [source / content[table]["file"] for table in ("items", "events")]
        if all(file.is_file() for file in files) and "garment_group_name" in first_line(files[0]):
            column_map = column_map_of(content, "the H&M reader")
            return ImportPlan(source.resolve().name, source, column_map, prepare_events=_with_device)
    return None


def _with_device(frame: pl.DataFrame) -> pl.DataFrame:
    channel = pl.col("sales_channel_id")
    return frame.with_columns(channel.replace_strict(_CHANNELS, default=channel).alias(_DEVICE))
