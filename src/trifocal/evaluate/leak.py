"""Does a recommender know what happens later? Events from a moment on are dealt out anew; no ranking may change.

Source: Ji et al., "A Critical Study on Data Leakage in Recommender System Offline Evaluation", TOIS 2023,
arXiv 2010.11060.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.cases import build_cases
from trifocal.data.dataset import Dataset
from trifocal.data.splits import Split
from trifocal.errors import DataError
from trifocal.features.context import ContextVocabulary
from trifocal.ports import Recommender

__all__ = ["dealt_anew", "leaked_places"]

Fit = Callable[[Dataset, Split], Recommender]


def dealt_anew(dataset: Dataset, moment: datetime, seed: int = 0) -> Dataset:
    """Return `dataset` in which the items of all events from `moment` on are permuted; their times stay."""
    later = pl.col(c.TIMESTAMP) >= moment
    early, late = dataset.events.filter(~later), dataset.events.filter(later)
    order = np.random.default_rng(seed).permutation(late.height)
    return replace(dataset, events=pl.concat([early, late.with_columns(late[c.ITEM_ID][order])]))


def leaked_places(fit: Fit, dataset: Dataset, split_of: Callable[[Dataset], Split], *, k: int = 20) -> int:
    """Return how many places of the validation users' lists change when later events do; 0 = nothing leaks.

    Args:
        fit: a data set and its split -> a recommender that may have learned from `split.train` alone.
        dataset: with times.
        split_of: cuts by time; the first moment of its validation part is where later begins.
        k: places of each list.

    Raises:
        DataError: when no later event changes, so that nothing could be seen.
    """
    split = split_of(dataset)
    moment = split.validation[c.TIMESTAMP].min()
    if not isinstance(moment, datetime):
        raise DataError(f"split {split.name} has no times in its validation part; give one that cuts by time")
    changed = dealt_anew(dataset, moment)
    if changed.events.equals(dataset.events):
        raise DataError(f"dealing out the events from {moment} on anew changes none of them; give more items")
    context = ContextVocabulary.fit(split.train[c.DEVICE].unique(), split.train[c.COUNTRY].unique())
    requests = build_cases(split, "validation", dataset.vocabulary(), context).requests
    before = fit(dataset, split).recommend(requests, k).item_rows
    after = fit(changed, split_of(changed)).recommend(requests, k).item_rows
    return int((before != after).sum())
