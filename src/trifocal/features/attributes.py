"""Category, free attributes and price -> codes. Fitted once on the catalogue, used identically offline and online."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.types import FloatArray, IntArray, Vocabulary

__all__ = ["AttributeEncoder"]

# A value that only one item has says nothing about any other.
_MIN_ITEMS = 2


@dataclass(frozen=True)
class AttributeEncoder:
    """Codes of the category path, each attribute, and the price; 0 = missing or never seen.

    Attributes:
        names: one attribute a column of the codes, price last.
        vocabularies: the values of each attribute but the price.
        price_edges: (buckets - 1,) upper edges of the price buckets, rising.
    """

    names: tuple[str, ...]
    vocabularies: tuple[Vocabulary, ...]
    price_edges: FloatArray

    @classmethod
    def fit(cls, items: pl.DataFrame, *, price_buckets: int, max_values: int) -> AttributeEncoder:
        """Return the encoder of the canonical item table `items`."""
        columns = _text_columns(items)
        kept = {}
        for name, values in columns.items():
            counts = values.drop_nulls().value_counts()
            frequent = counts.filter(pl.col("count") >= _MIN_ITEMS)[values.name].sort().to_list()
            if 0 < len(frequent) <= max_values:
                kept[name] = Vocabulary.of(frequent)
        prices = items[c.PRICE].drop_nulls().to_numpy()
        quantiles = np.linspace(0, 1, price_buckets + 1)[1:-1]
        edges = np.unique(np.quantile(prices, quantiles)) if len(prices) else np.zeros(0)
        return cls((*kept, c.PRICE), tuple(kept.values()), edges.astype(np.float32))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each attribute, the code 0 included."""
        return (*(len(v) + 1 for v in self.vocabularies), len(self.price_edges) + 2)

    def encode(self, items: pl.DataFrame) -> IntArray:
        """Return the (N, A) codes of the canonical item table `items`."""
        columns = _text_columns(items)
        codes = np.zeros((items.height, len(self.names)), dtype=np.int64)
        for column, (name, vocabulary) in enumerate(zip(self.names, self.vocabularies, strict=False)):
            if name in columns:
                codes[:, column] = [_code(vocabulary, value) for value in columns[name]]
        prices = items[c.PRICE].to_numpy()
        known = ~np.isnan(prices)
        codes[known, -1] = np.searchsorted(self.price_edges, prices[known], side="right") + 1
        return codes

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "names": list(self.names),
            "vocabularies": [list(v.ids) for v in self.vocabularies],
            "price_edges": [float(e) for e in self.price_edges],
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> AttributeEncoder:
        """Return the encoder that `to_json` wrote."""
        return cls(
            tuple(state["names"]),
            tuple(Vocabulary.of(ids) for ids in state["vocabularies"]),
            np.array(state["price_edges"], dtype=np.float32),
        )


def _code(vocabulary: Vocabulary, value: str | None) -> int:
    row = None if value is None else vocabulary.row(value)
    return 0 if row is None else row + 1


def _text_columns(items: pl.DataFrame) -> dict[str, pl.Series]:
    """Every level of the category path, then the free attributes."""
    paths = items[c.CATEGORY].str.split(c.CATEGORY_SEPARATOR)
    depth = int(paths.list.len().max() or 0)  # type: ignore[arg-type]  # polars types the maximum loosely
    levels = {f"{c.CATEGORY}.{n}": paths.list.head(n + 1).list.join(c.CATEGORY_SEPARATOR) for n in range(depth)}
    free = {n: items[n] for n in items.columns if n.startswith(c.ATTRIBUTE_PREFIX)}
    return {**levels, **free}
