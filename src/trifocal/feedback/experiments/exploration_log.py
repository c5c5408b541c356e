"""Live events -> what was shown by chance, how likely that was, and whether it was clicked: off-policy estimates."""

from __future__ import annotations

import polars as pl

from trifocal import columns as c
from trifocal.types import EventType

__all__ = ["explored_impressions"]

_KEY = ("answer_id", c.ITEM_ID)


def explored_impressions(events: pl.DataFrame) -> pl.DataFrame:
    """Return the impressions whose place was left to chance, oldest first, with `reward` 1 where they were clicked.

    Columns: answer_id, user_id, item_id, position, timestamp_s, propensity, reward. A place was left to chance where
    the propensity is below 1. Without an answer's id nobody knows what a click belongs to: such are left out.

    Args:
        events: as `event_frame` gives them.
    """
    kind = pl.col("event")
    clicked = events.filter(kind == EventType.CLICK.value).select(_KEY).drop_nulls().unique()
    shown = events.filter(
        (kind == EventType.IMPRESSION.value) & (pl.col("propensity") < 1) & (pl.col("propensity") > 0)
    )
    first = (
        shown.drop_nulls("answer_id")
        .sort("timestamp_s", maintain_order=True)
        .unique(_KEY, keep="first", maintain_order=True)
    )
    rewarded = first.join(clicked.with_columns(reward=pl.lit(1.0)), on=_KEY, how="left", maintain_order="left")
    columns = ("answer_id", c.USER_ID, c.ITEM_ID, "position", "timestamp_s", "propensity")
    return rewarded.select(*columns, pl.col("reward").fill_null(0.0))
