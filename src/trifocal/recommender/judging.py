"""Figures of a recommender on events that it has not learned from. Thin over `evaluate`."""

from __future__ import annotations

import polars as pl

from trifocal import columns as c
from trifocal.bundle import Bundle
from trifocal.data.cases import build_cases
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.splits import Split, make_split
from trifocal.errors import ConfigError, DataError
from trifocal.evaluate.protocol import evaluate
from trifocal.features.items import FeatureState
from trifocal.ports import Recommender
from trifocal.types import EventType, Vocabulary

__all__ = ["figures"]


def figures(
    recommender: Recommender, bundle: Bundle, split: Split | None, events: pl.DataFrame | None
) -> dict[str, float]:
    """Return the mean over users of each metric, by full ranking of the catalogue.

    Args:
        recommender: of the bundle.
        bundle: its items and histories.
        split: whose test part is asked about, where `events` is None.
        events: what users did after all that the bundle knows of them; without `event` a row is a purchase.

    Raises:
        ConfigError: when there is neither.
        DataError: when a column is missing, or no user can be asked about.
    """
    if events is not None:
        split = _after_all(bundle, events)
    if split is None:
        raise ConfigError("nothing is held out to evaluate on; give events, or train with split='time'")
    items = Vocabulary.of(bundle.contents.items[c.ITEM_ID].to_list())
    context = FeatureState.from_json(bundle.contents.feature_state).context
    return evaluate(recommender, build_cases(split, "test", items, context)).means


def _after_all(bundle: Bundle, events: pl.DataFrame) -> Split:
    missing = sorted({c.USER_ID, c.ITEM_ID} - set(events.columns))
    if missing:
        raise DataError(f"events lacks the column {', '.join(missing)}; it has: {', '.join(events.columns) or 'none'}")
    named = (
        events if c.EVENT in events.columns else events.with_columns(pl.lit(EventType.PURCHASE.value).alias(c.EVENT))
    )
    try:
        asked = conform(named, EVENT_SCHEMA)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"events has a column of another kind than it needs ({error}); `timestamp` is a UTC time"
        ) from None
    known = conform(bundle.contents.histories, EVENT_SCHEMA)
    return make_split("given", known, known.clear(), asked, note="events that were given")
