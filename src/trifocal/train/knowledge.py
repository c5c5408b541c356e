"""Training data -> what the recommender knows of the items beside the network: memory and evidence tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from trifocal.features.compact import compact_vectors
from trifocal.features.items import CatalogueFeatures
from trifocal.model.config import ModelConfig
from trifocal.model.evidence import EvidenceTables
from trifocal.model.memory import Precision, fit_precision
from trifocal.train.data import TrainingData
from trifocal.types import FloatArray, History, IntArray

__all__ = ["evidence_tables", "interactions", "item_precision"]

# The newest events say what is in fashion.
_NEWEST_SHARE = 0.2
# Pairs that are kept: 12 bytes each, so 48 MB; past it, those that the fewest users made are left out.
_MOST_PAIRS = 4_000_000


def interactions(data: TrainingData) -> csr_matrix:
    """Return the (users, N) binary matrix of positive events."""
    distinct = [np.unique(history.item_rows) for history in data.histories.values()]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in distinct])])
    columns = np.concatenate([*distinct, np.zeros(0, np.int64)])
    return csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(len(distinct), len(data.features)))


def item_precision(data: TrainingData, config: ModelConfig) -> Precision | None:
    """Return the memory of what users took together, with its content kernels; None where the config wants none."""
    if config.memory_items == 0:
        return None
    contents = [
        (pooled(), weight)
        for modality, pooled, weight in (
            ("text", data.features.pooled_text, config.memory_text),
            ("image", data.features.pooled_image, config.memory_image),
        )
        if modality in config.modalities and weight > 0
    ]
    return fit_precision(
        interactions(data), contents, regularization=config.memory_regularization, items=config.memory_items
    )


def evidence_tables(
    data: TrainingData, features: CatalogueFeatures, modalities: Sequence[str], compact_size: int
) -> EvidenceTables:
    """Return the second stage's tables; a modality that the model does not use stays empty.

    Args:
        data: whose histories are counted.
        features: of the items, those of `data` or changed ones.
        modalities: that the model uses.
        compact_size: of the likeness vectors.
    """
    matrix = interactions(data)
    # A user counts once an item: what is held out of a history is then one less in each count.
    first = [history.at(np.unique(history.item_rows, return_index=True)[1]) for history in data.histories.values()]
    devices, newest, newest_from_s = _event_counts(first, data)
    pairs, pair_counts = _pairs(matrix)
    return EvidenceTables(
        text=compact_vectors(features.pooled_text(), compact_size) * np.float32("text" in modalities),
        image=compact_vectors(features.pooled_image(), compact_size) * np.float32("image" in modalities),
        attributes=features.attributes,
        counts=np.asarray(matrix.sum(axis=0), dtype=np.float32).ravel(),
        device_counts=devices,
        newest_counts=newest,
        pairs=pairs,
        pair_counts=pair_counts,
        newest_from_s=np.array([newest_from_s], dtype=np.int64),
    )


def _event_counts(histories: Sequence[History], data: TrainingData) -> tuple[FloatArray, FloatArray, int]:
    """Return events by item and device, events of the newest fifth by item, and where that begins."""
    n_items, devices = len(data.features), len(data.state.context.devices) + 1
    empty = History()
    rows, times, codes = (
        np.concatenate([getattr(history, name) for history in (*histories, empty)])
        for name in ("item_rows", "timestamps_s", "device_codes")
    )
    known = times[times > 0]
    start = int(np.quantile(known, 1 - _NEWEST_SHARE)) if len(known) else 0
    by_device = np.bincount(rows * devices + codes, minlength=n_items * devices).reshape(n_items, devices)
    newest = np.bincount(rows[(times >= start) & (times > 0)], minlength=n_items)
    return by_device.astype(np.float32), newest.astype(np.float32), start


def _pairs(matrix: csr_matrix) -> tuple[IntArray, FloatArray]:
    together = coo_matrix(matrix.T @ matrix)
    different = together.row != together.col
    rows, columns, counts = (part[different] for part in (together.row, together.col, together.data))
    if len(counts) > _MOST_PAIRS:
        kept = np.argsort(-counts, kind="stable")[:_MOST_PAIRS]
        rows, columns, counts = rows[kept], columns[kept], counts[kept]
    keys = rows.astype(np.int64) * matrix.shape[1] + columns
    order = np.argsort(keys)
    return keys[order], counts[order].astype(np.float32)
