"""An item of the running service -> what the model makes of it, as training would: the same encoders, the same tower.

```
title, category, description ─► text encoder ─┐
picture ─► image encoder ─────────────────────┼─► item tower, without an id for a new item ─► vector
category, attributes, price ─► codes ─────────┘
```

A bundle without a network has vectors that nothing computes: there a new item gets the mean of the vectors of the items
whose texts are nearest. Letters: N items, W text width.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.bundle import Bundle
from trifocal.errors import ConfigError, TrifocalError
from trifocal.features.items import item_texts
from trifocal.features.likeness import KERNEL_POWER
from trifocal.index import normalised
from trifocal.ports import StoredItem, TokenSource
from trifocal.serve.online import ItemFeatures
from trifocal.serve.queries import QueryEncoder
from trifocal.types import FloatArray

__all__ = ["ItemEncoder", "NearestItemEncoder", "item_encoder", "item_frame"]

_LOGGER = logging.getLogger(__name__)
# Items whose vectors a new one is the mean of, where there is no network.
_NEAREST = 5


class ItemEncoder(Protocol):
    """Encodes items as the bundle's model sees them. Safe to use from several threads. Stability: caller."""

    def encode(self, item: StoredItem, picture: Path | None, row: int | None) -> ItemFeatures:
        """Return the features of `item`.

        Args:
            item: as it stands now.
            picture: its file, or None.
            row: of an item of the bundle, whose id is known to the model; None = a new one.

        Raises:
            ConfigError: when an encoder's packages are not installed.
        """
        ...

    def warm_up(self) -> None:
        """Load what loads late, so that the first item does not wait for it; what cannot be loaded is logged."""
        ...


class NearestItemEncoder:
    """For a bundle that is vectors alone. Stability: internal."""

    def __init__(self, bundle: Bundle, queries: QueryEncoder) -> None:
        self._vectors = np.asarray(bundle.contents.item_vectors, dtype=np.float32)
        self._texts = normalised(bundle.contents.text_vectors.astype(np.float32))
        self._queries = queries

    def encode(self, item: StoredItem, picture: Path | None, row: int | None) -> ItemFeatures:
        """See `ItemEncoder`; a picture says nothing here."""
        text = item_texts(item_frame(item))[0]
        pooled = np.zeros(self._texts.shape[1], np.float32)
        if text is not None:
            with self._queries.encoder() as encoder:
                pooled = np.asarray(encoder.pooled([text])[0], dtype=np.float32)
        none = np.zeros(0, np.float32)
        return ItemFeatures(self._mean(pooled), pooled, none, none, np.zeros(0, np.int64))

    def warm_up(self) -> None:
        """See `ItemEncoder`; nothing loads late that a search has not loaded."""

    def _mean(self, pooled: FloatArray) -> FloatArray:
        likeness = np.maximum(self._texts @ normalised(pooled), 0) ** KERNEL_POWER
        nearest = np.argsort(-likeness, kind="stable")[:_NEAREST]
        weights = likeness[nearest] / max(float(likeness[nearest].sum()), 1e-9)
        found: FloatArray = (weights @ self._vectors[nearest]).astype(np.float32)
        return found


class _Late:
    """An encoder that loads at its first use, once. Stability: internal."""

    def __init__(self, load: Callable[[], ItemEncoder]) -> None:
        self._load, self._lock = load, Lock()
        self._encoder: ItemEncoder | None = None

    def encode(self, item: StoredItem, picture: Path | None, row: int | None) -> ItemFeatures:
        with self._lock:
            if self._encoder is None:
                self._encoder = self._load()
            return self._encoder.encode(item, picture, row)

    def warm_up(self) -> None:
        start = time.perf_counter()
        try:
            self.encode(StoredItem("warm", title="warm"), None, None)
        except ConfigError as error:
            _LOGGER.warning("items cannot be added while the service runs: %s", error)
        except TrifocalError as error:
            _LOGGER.warning("the encoder of new items is not warm: %s", error)
        _LOGGER.info("the encoder of new items is warm after %.1f s", time.perf_counter() - start)


def item_encoder(bundle: Bundle, queries: QueryEncoder, images: Callable[[], TokenSource]) -> ItemEncoder:
    """Return the encoder of `bundle`; networks load at the first item.

    Args:
        bundle: whose items it encodes.
        queries: has the text encoder.
        images: loads the image encoder.
    """
    if "model" not in bundle.contents.config:
        return _Late(lambda: NearestItemEncoder(bundle, queries))

    def load() -> ItemEncoder:
        from trifocal.serve.live.tower import TowerItemEncoder

        return TowerItemEncoder(bundle, queries, images)

    return _Late(load)


def item_frame(item: StoredItem) -> pl.DataFrame:
    """Return `item` as a canonical item table of one row."""
    kinds: dict[str, tuple[object, pl.DataType]] = {
        c.ITEM_ID: (item.item_id, pl.String()),
        c.TITLE: (item.title, pl.String()),
        c.DESCRIPTION: (item.description, pl.String()),
        c.CATEGORY: (item.category, pl.String()),
        c.PRICE: (item.price, pl.Float64()),
        **{c.ATTRIBUTE_PREFIX + name: (value, pl.String()) for name, value in item.attributes},
    }
    return pl.DataFrame([pl.Series(name, [value], dtype=kind) for name, (value, kind) in kinds.items()])
