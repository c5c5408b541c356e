"""What training reads, as plain values: the caller makes them from a data set and a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.sparse import csr_matrix

from trifocal.features.compact import compact_vectors
from trifocal.features.items import CatalogueFeatures, FeatureState
from trifocal.model.config import ModelConfig
from trifocal.model.memory import ItemMemory, fit_memory
from trifocal.model.ranker import ItemEvidence
from trifocal.train.examples import SearchEvent
from trifocal.train.judgements import Judgements
from trifocal.types import FloatArray, History, IntArray

__all__ = ["TrainingData", "item_evidence", "item_memory"]


@dataclass(frozen=True)
class TrainingData:
    """One catalogue and what users did with it before the cut.

    Attributes:
        features: N items, encoded.
        state: what the features were fitted to.
        histories: positive events by user, oldest first.
        searches: positive events that followed a query.
        counts: (N,) float32, positive events of each item.
        created_s: (N,) int64 seconds since 1970 when each item appeared; 0 = always there.
        fingerprint: of items and events.
        shown: impressions, clicked or passed over.
        rated: every rating, liked or not.
    """

    features: CatalogueFeatures
    state: FeatureState
    histories: Mapping[str, History]
    searches: Sequence[SearchEvent]
    counts: FloatArray
    created_s: IntArray
    fingerprint: str
    shown: Judgements = field(default_factory=Judgements)
    rated: Judgements = field(default_factory=Judgements)


def item_evidence(
    features: CatalogueFeatures, counts: FloatArray, modalities: Sequence[str], compact_size: int
) -> ItemEvidence:
    """Return the ranker's tables; a modality that the model does not use stays empty."""
    text = compact_vectors(features.pooled_text(), compact_size)
    image = compact_vectors(features.pooled_image(), compact_size)
    return ItemEvidence(
        text=torch.from_numpy(text * ("text" in modalities)),
        image=torch.from_numpy(image * ("image" in modalities)),
        items=torch.from_numpy(counts).log1p()[:, None],
    )


def item_memory(data: TrainingData, config: ModelConfig) -> ItemMemory | None:
    """Return the linear memory of what users took together; None where the config wants none."""
    if config.memory_items == 0:
        return None
    distinct = [np.unique(history.item_rows) for history in data.histories.values()]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in distinct])])
    columns = np.concatenate([*distinct, np.zeros(0, np.int64)])
    shape = (len(distinct), len(data.features))
    contents = [
        pooled()
        for modality, pooled in (("text", data.features.pooled_text), ("image", data.features.pooled_image))
        if modality in config.modalities
    ]
    return fit_memory(
        csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=shape),
        contents,
        regularization=config.memory_regularization,
        content_weight=config.memory_content,
        items=config.memory_items,
        links=config.memory_links,
    )
