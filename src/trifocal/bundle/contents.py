"""What a bundle holds, as one plain value. Knows no file. N items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trifocal import columns as c
from trifocal.errors import ArtifactError
from trifocal.types import FloatArray

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from trifocal.bundle.manifest import Manifest

__all__ = ["Bundle", "BundleContents"]


@dataclass(frozen=True)
class BundleContents:
    """Everything that serving needs, and nothing of training. Stability: caller.

    Attributes:
        items: canonical item table, one row an item; an item's row here is its row everywhere.
        image_root: the folder that `image` paths are relative to; pictures are not copied.
        config: the settings that the model was built with, as JSON.
        weights: name -> tensor; empty = no network, items are found by their vectors alone.
        item_vectors: (N, D) float32.
        text_vectors: (N, text width) float16, pooled frozen text features, for search by words.
        feature_state: what was fitted on the data: vocabularies of context and attributes, as JSON.
        popularity: (N,) float32, the greater, the more popular: the fallback.
        histories: canonical event columns, the newest events of each known user, oldest first.
        metrics: name -> figure, as JSON.
        data_fingerprint: hash of the data that the model has seen.
        model_name: as it stands in tables and answers.
        text_encoder: folder of the text encoder where it was trained on this catalogue; it travels inside the bundle.
    """

    items: pl.DataFrame
    image_root: str
    config: dict[str, Any]
    weights: dict[str, Tensor]
    item_vectors: FloatArray
    text_vectors: npt.NDArray[np.float16]
    feature_state: dict[str, Any]
    popularity: FloatArray
    histories: pl.DataFrame
    metrics: dict[str, Any]
    data_fingerprint: str
    model_name: str = "trifocal"
    text_encoder: Path | None = None

    def validate(self) -> None:
        """Check that all parts speak of the same N items.

        Raises:
            ArtifactError: naming the part, its size and the size that was needed.
        """
        count = self.items.height
        _require(count > 0, "items is empty; a bundle needs at least one item")
        _require(self.items[c.ITEM_ID].null_count() == 0, "items holds an item without an item_id")
        _require(self.items[c.ITEM_ID].n_unique() == count, "items holds an item_id twice; ids must be unique")
        for name, dimensions in (("item_vectors", 2), ("text_vectors", 2), ("popularity", 1)):
            shape = getattr(self, name).shape
            _require(
                len(shape) == dimensions and shape[0] == count,
                f"{name} has shape {shape}, needs {dimensions} dimensions and {count} rows, one an item",
            )
        missing = {c.USER_ID, c.ITEM_ID, c.EVENT, c.TIMESTAMP} - set(self.histories.columns)
        _require(not missing, f"histories lacks the columns {sorted(missing)}")


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and found whole. Stability: caller."""

    folder: Path
    manifest: Manifest
    contents: BundleContents


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ArtifactError(f"these contents make no bundle: {message}")
