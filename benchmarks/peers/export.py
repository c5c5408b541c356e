"""A split's training events, questions and content -> a folder that any rival can read, in ids of the outside world.

```
FOLDER/items.parquet         item_id                      in row order
      /interactions.parquet  user_id, item_id, order      positive events, one row a pair, oldest first
      /requests.parquet      user_id, history, exclude    lists of item ids; the history oldest first
      /text.npy, image.npy   (N, width) float32           pooled features in row order; absent where there are none
```

Truths are not written: what a rival cannot read it cannot learn from.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.cases import Cases
from trifocal.data.histories import positives
from trifocal.errors import DataError
from trifocal.types import FloatArray, IntArray, Vocabulary

__all__ = ["export_cases"]


def export_cases(
    folder: Path,
    *,
    vocabulary: Vocabulary,
    train: pl.DataFrame,
    cases: Cases,
    text: FloatArray | None,
    image: FloatArray | None,
) -> None:
    """Write what the rivals learn from and are asked.

    Args:
        folder: is made; files of an earlier export are replaced.
        vocabulary: the N items, in row order.
        train: canonical events, oldest first; the first positive event of each pair of user and item is written.
        cases: the questions; only their requests are written.
        text: (N, width) pooled text features, or None.
        image: (N, width) pooled image features, or None.

    Raises:
        DataError: when features have another number of rows than the catalogue has items.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = pl.Series(vocabulary.ids, dtype=pl.String())
    pl.DataFrame({c.ITEM_ID: ids}).write_parquet(folder / "items.parquet")
    _interactions(train, vocabulary).write_parquet(folder / "interactions.parquet")
    _requests(cases, ids).write_parquet(folder / "requests.parquet")
    _write_features(folder / "text.npy", text, len(vocabulary))
    _write_features(folder / "image.npy", image, len(vocabulary))


def _interactions(train: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    return (
        positives(train)
        .filter(pl.col(c.ITEM_ID).is_in(list(vocabulary.ids)))
        .unique([c.USER_ID, c.ITEM_ID], keep="first", maintain_order=True)
        .select(c.USER_ID, c.ITEM_ID)
        .with_row_index("order")
        .select(c.USER_ID, c.ITEM_ID, pl.col("order").cast(pl.Int64))
    )


def _requests(cases: Cases, ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        {
            c.USER_ID: [str(user) for user in cases.user_ids],
            "history": [_named(request.history.item_rows, ids) for request in cases.requests],
            "exclude": [_named(request.exclude, ids) for request in cases.requests],
        },
        schema={c.USER_ID: pl.String(), "history": pl.List(pl.String()), "exclude": pl.List(pl.String())},
    )


def _named(rows: IntArray, ids: pl.Series) -> list[str]:
    names: list[str] = ids.gather(rows).to_list()
    return names


def _write_features(file: Path, features: FloatArray | None, items: int) -> None:
    file.unlink(missing_ok=True)
    if features is None:
        return
    if len(features) != items:
        raise DataError(f"{file.name} would have {len(features):,} rows for {items:,} items; give one row an item")
    np.save(file, np.ascontiguousarray(features, dtype=np.float32))
