"""What training reads, as plain values: the caller makes them from a data set and a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trifocal.features.items import CatalogueFeatures, FeatureState
from trifocal.train.examples import SearchEvent
from trifocal.train.judgements import Judgements
from trifocal.types import FloatArray, History, IntArray

__all__ = ["TrainingData"]


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
