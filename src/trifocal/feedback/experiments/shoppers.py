"""Live events -> one row a shopper: the variant that was seen first, and what the shopper did from then on.

By first exposure, whatever came later: a shopper who saw a second variant still counts for the first one, so that
nobody drops out for a reason that the variant may have had a part in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal

import polars as pl

from trifocal import columns as c
from trifocal.feedback.config import SatisfactionConfig
from trifocal.feedback.experiments.estimates import Numbers
from trifocal.feedback.satisfaction import SATISFACTION, DwellNormaliser, session_satisfaction
from trifocal.ports import EventStore, StoredEvent
from trifocal.types import EventType

__all__ = [
    "METRICS", "Metric", "MetricName", "before_column", "covariate", "event_frame", "exposures", "read_events",
    "shopper_table", "started_at",
]  # fmt: skip

MetricName = Literal["ctr", "conversion", "satisfaction"]
_BATCH = 10_000
_MICROSECONDS = 1_000_000
_TEXT, _REAL, _WHOLE = pl.String(), pl.Float64(), pl.Int64()
_TYPES: dict[str, pl.DataType] = {"timestamp_s": _REAL, "value": _REAL, "propensity": _REAL} | {
    "dwell_ms": _WHOLE,
    "position": _WHOLE,
}
_SCHEMA = pl.Schema({field.name: _TYPES.get(field.name, _TEXT) for field in fields(StoredEvent)})
_NO_CATEGORIES = pl.Schema({c.ITEM_ID: _TEXT, c.CATEGORY: _TEXT})


@dataclass(frozen=True)
class Metric:
    """A ratio of two sums per shopper: `top` over `bottom`, columns of the shopper table."""

    name: MetricName
    title: str
    top: str
    bottom: str


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("ctr", "CTR", "clicks", "impressions"),
        Metric("conversion", "Conversion", "bought", "shopper"),
        Metric("satisfaction", "Satisfaction", "content", "sessions"),
    )
}


def before_column(name: str) -> str:
    """Return the column of the shopper table that holds the same from before the first exposure."""
    return f"before_{name}"


def event_frame(events: Iterable[StoredEvent]) -> pl.DataFrame:
    """Return `events` as a frame with the fields of `StoredEvent` as columns."""
    return pl.DataFrame([asdict(event) for event in events], schema=_SCHEMA)


def read_events(store: EventStore) -> pl.DataFrame:
    """Return every event of `store`, in the order of arrival."""
    parts, sequence = [event_frame(())], 0
    while found := store.after(sequence, _BATCH):
        parts.append(event_frame(event for _, event in found))
        sequence = found[-1][0]
    return pl.concat(parts)


def started_at(events: pl.DataFrame, start_s: float) -> pl.DataFrame:
    """Return `events`; those before `start_s`, seconds since 1970, name no variant, and so expose nobody."""
    return events.with_columns(pl.when(pl.col("timestamp_s") >= start_s).then(pl.col("variant")).alias("variant"))


def exposures(events: pl.DataFrame, variants: Sequence[str]) -> pl.DataFrame:
    """Return user_id, variant, first_s, mixed: the first exposure of each shopper, earliest first.

    Args:
        events: as `event_frame` gives them; those with another variant, or none, expose nobody.
        variants: of the experiment.
    """
    shown = (pl.col("event") == EventType.IMPRESSION.value) & pl.col("variant").is_in(list(variants))
    return (
        events.filter(shown)
        .sort("timestamp_s", maintain_order=True)
        .group_by(c.USER_ID, maintain_order=True)
        .agg(
            pl.col("variant").first(),
            pl.col("timestamp_s").first().alias("first_s"),
            (pl.col("variant").n_unique() > 1).alias("mixed"),
        )
    )


def shopper_table(
    events: pl.DataFrame,
    exposed: pl.DataFrame,
    *,
    categories: pl.DataFrame | None = None,
    satisfaction: SatisfactionConfig | None = None,
) -> pl.DataFrame:
    """Return a row a shopper of `exposed`, in its order, with tops and bottoms of all metrics, since and before.

    - `impressions`, `clicks`: of answers of the experiment's variants; before it, of any answer.
    - `bought`: 1 where anything was bought; `shopper`: 1.
    - `content`, `sessions`: sum of the sessions' satisfaction, and how many have one.

    Args:
        events: as `event_frame` gives them, up to the moment of the look.
        exposed: from `exposures`.
        categories: columns item_id and category, for dwell; None = dwell is held against the device alone.
        satisfaction: weights and window.
    """
    of_shopper = events.join(exposed.select(c.USER_ID, "first_s"), on=c.USER_ID)
    since = of_shopper.filter(pl.col("timestamp_s") >= pl.col("first_s"))
    before = of_shopper.filter(pl.col("timestamp_s") < pl.col("first_s"))
    named = pl.DataFrame(schema=_NO_CATEGORIES) if categories is None else categories
    config = satisfaction or SatisfactionConfig()
    usual = _normaliser(before, since, named, config)
    table = exposed
    variants = exposed["variant"].unique().to_list()
    of_variant, of_answer = pl.col("variant").is_in(variants), pl.col("answer_id").is_not_null()
    for part, prefix, counted in ((since, "", of_variant), (before, before_column(""), of_answer)):
        for found in (_counts(part, counted), _contentment(part, named, usual, config)):
            renamed = found.rename({name: f"{prefix}{name}" for name in found.columns if name != c.USER_ID})
            table = table.join(renamed, on=c.USER_ID, how="left", maintain_order="left")
    return table.with_columns(shopper=pl.lit(1.0)).fill_null(0.0)


def covariate(table: pl.DataFrame, metric: Metric) -> Numbers:
    """Return (S,) the metric of each shopper before the first exposure, nan where there was nothing to measure."""
    bottom = before_column("impressions" if metric.bottom == "shopper" else metric.bottom)
    top = pl.col(before_column(metric.top))
    value = top if metric.bottom == "shopper" else top / pl.col(bottom)
    return table.select(pl.when(pl.col(bottom) > 0).then(value).otherwise(float("nan"))).to_series().to_numpy()


def _counts(events: pl.DataFrame, counted: pl.Expr) -> pl.DataFrame:
    kind = pl.col("event")
    return events.group_by(c.USER_ID).agg(
        ((kind == EventType.IMPRESSION.value) & counted).sum().cast(_REAL).alias("impressions"),
        ((kind == EventType.CLICK.value) & counted).sum().cast(_REAL).alias("clicks"),
        (kind == EventType.PURCHASE.value).any().cast(_REAL).alias("bought"),
    )


def _contentment(
    events: pl.DataFrame, categories: pl.DataFrame, usual: DwellNormaliser, config: SatisfactionConfig
) -> pl.DataFrame:
    scored = session_satisfaction(_canonical(events), categories, usual, config)
    return scored.group_by(c.USER_ID).agg(
        pl.col(SATISFACTION).sum().alias("content"), pl.col(SATISFACTION).count().cast(_REAL).alias("sessions")
    )


def _normaliser(
    before: pl.DataFrame, since: pl.DataFrame, categories: pl.DataFrame, config: SatisfactionConfig
) -> DwellNormaliser:
    """Learn what dwell is usual from the time before; from all variants alike where that is too short."""
    clicks = before.filter(pl.col("dwell_ms").is_not_null()).height
    chosen = before if clicks >= config.min_clicks else pl.concat([before, since])
    return DwellNormaliser.fit(_canonical(chosen), categories, min_clicks=config.min_clicks)


def _canonical(events: pl.DataFrame) -> pl.DataFrame:
    moment = (pl.col("timestamp_s") * _MICROSECONDS).cast(_WHOLE).cast(pl.Datetime("us", "UTC"))
    return events.with_columns(moment.alias(c.TIMESTAMP))
