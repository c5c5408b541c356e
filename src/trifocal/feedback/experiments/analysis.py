"""Live events of an experiment -> what each variant reached, look after look, and what may be concluded.

```
events -> shoppers -> figures and differences -> looks -> verdict of each candidate
          by first    always-valid, with CUPED   every so many shoppers
          exposure
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from trifocal.errors import ConfigError, DataError
from trifocal.feedback.experiments.cuped import adjusted, variance_left
from trifocal.feedback.experiments.estimates import MeanEstimate, linearised, mean_estimate, ratio_estimate
from trifocal.feedback.experiments.guard_rails import GuardRail, GuardVerdict, check_rail
from trifocal.feedback.experiments.sample_ratio import always_valid_mismatch_p
from trifocal.feedback.experiments.sequential import Difference, SequentialPlan, compare
from trifocal.feedback.experiments.shoppers import (
    METRICS,
    Metric,
    MetricName,
    covariate,
    exposures,
    shopper_table,
)

__all__ = ["DEFAULT_RAILS", "Experiment", "Look", "MetricFigures", "look_at", "looks_of"]

DEFAULT_RAILS = (GuardRail("conversion", tolerated=0.1), GuardRail("satisfaction", tolerated=0.05))


@dataclass(frozen=True)
class Experiment:
    """What is settled before the first shopper. Stability: full.

    Attributes:
        name: of the experiment.
        shares: variant -> share of the shoppers, 0..1, in sum 1.
        control: the variant that the others are held against.
        shoppers: of all variants, about where a verdict is hoped for.
        primary: the metric that decides.
        alpha: chance, 0..1, that the primary metric ever decides although no candidate differs; shared out evenly
            among several candidates.
        rails: metrics that no candidate may hurt.

    Raises:
        ConfigError: when the control or a metric is unknown, or there is nothing to compare.
    """

    name: str
    shares: Mapping[str, float]
    control: str = "control"
    shoppers: int = 2000
    primary: MetricName = "ctr"
    alpha: float = 0.05
    rails: tuple[GuardRail, ...] = field(default=DEFAULT_RAILS)

    def __post_init__(self) -> None:
        known = ", ".join(self.shares) or "none"
        if self.control not in self.shares:
            raise ConfigError(f"experiment {self.name!r} has no variant {self.control!r}; it has {known}")
        if len(self.shares) < 2:
            raise ConfigError(f"experiment {self.name!r} has one variant, {known}; give the others their share")
        unknown = [rail.metric for rail in self.rails if rail.metric not in METRICS]
        if unknown:
            raise ConfigError(f"a guard rail watches {unknown[0]!r}; known metrics are {', '.join(METRICS)}")

    @property
    def candidates(self) -> tuple[str, ...]:
        """All variants but the control."""
        return tuple(variant for variant in self.shares if variant != self.control)

    @property
    def plan(self) -> SequentialPlan:
        """Of the test of one candidate: its own and the control's shoppers."""
        part = 2 * self.shoppers // len(self.shares)
        return SequentialPlan(max(part, 1), self.alpha / len(self.candidates))


@dataclass(frozen=True)
class MetricFigures:
    """One metric at one look. Stability: caller.

    Attributes:
        metric: which.
        reached: variant -> its mean.
        plain: candidate -> its difference to the control.
        differences: candidate -> likewise after CUPED; these decide.
        variance_left: share of the variance, 0..1, that CUPED left.
    """

    metric: Metric
    reached: Mapping[str, MeanEstimate]
    plain: Mapping[str, Difference]
    differences: Mapping[str, Difference]
    variance_left: float


@dataclass(frozen=True)
class Look:
    """All there is to know at one moment. Stability: caller.

    Attributes:
        until_s: the moment, seconds since 1970, UTC.
        counts: variant -> shoppers who saw it first.
        mixed: shoppers who saw a second variant later.
        mismatch_p: of the sample ratio, always valid.
        metrics: name -> its figures; a metric that nothing was logged for is absent.
        rails: candidate -> where it stands at each guard rail.
    """

    until_s: float
    counts: Mapping[str, int]
    mixed: int
    mismatch_p: float
    metrics: Mapping[str, MetricFigures]
    rails: Mapping[str, tuple[GuardVerdict, ...]]

    @property
    def shoppers(self) -> int:
        """Of all variants."""
        return sum(self.counts.values())


def looks_of(
    events: pl.DataFrame,
    experiment: Experiment,
    *,
    every: int = 100,
    most: int = 40,
    categories: pl.DataFrame | None = None,
) -> tuple[Look, ...]:
    """Return the looks after each `every` shoppers, or fewer so that there are at most `most`, and at the end.

    Args:
        events: as `event_frame` gives them.
        experiment: what was settled.
        every: shoppers between two looks.
        most: looks.
        categories: columns item_id and category, for the satisfaction.

    Raises:
        DataError: when nobody saw a variant of the experiment.
    """
    firsts = exposures(events, list(experiment.shares))["first_s"].to_numpy()
    if not len(firsts):
        seen = ", ".join(map(str, events["variant"].unique().sort().to_list())) or "no event"
        raise DataError(f"nobody saw {', '.join(experiment.shares)}; the log holds {seen}. Name the variants served")
    step = max(every, -(-len(firsts) // most))
    moments = [float(moment) for moment in firsts[step - 1 :: step]]
    end = max(float(str(events["timestamp_s"].max())), float(firsts[-1]))
    wanted = dict.fromkeys([*moments, end])
    return tuple(look_at(events, experiment, until_s=moment, categories=categories) for moment in wanted)


def look_at(
    events: pl.DataFrame,
    experiment: Experiment,
    *,
    until_s: float | None = None,
    categories: pl.DataFrame | None = None,
) -> Look:
    """Return what is known at `until_s`, None = of all events; the others as in `looks_of`."""
    moment = until_s if until_s is not None else float(str(events["timestamp_s"].max() or 0.0))
    known = events.filter(pl.col("timestamp_s") <= moment)
    exposed = exposures(known, list(experiment.shares))
    table = shopper_table(known, exposed, categories=categories)
    counts = {variant: int((exposed["variant"] == variant).sum()) for variant in experiment.shares}
    metrics: dict[str, MetricFigures] = {
        metric.name: metric_figures(table, metric, experiment)
        for metric in METRICS.values()
        if float(table[metric.bottom].sum()) > 0
    }
    rails = {candidate: _rails(experiment, metrics, candidate) for candidate in experiment.candidates}
    p = always_valid_mismatch_p(counts, experiment.shares)
    return Look(moment, counts, int(exposed["mixed"].sum()), p, metrics, rails)


def metric_figures(table: pl.DataFrame, metric: Metric, experiment: Experiment) -> MetricFigures:
    """Return the figures of `metric` of a `shopper_table`."""
    names = list(experiment.shares)
    variant = np.array([names.index(name) for name in table["variant"]], dtype=np.int64)
    top, bottom = (table[column].to_numpy().astype(np.float64) for column in (metric.top, metric.bottom))
    values, before = np.zeros(len(table)), covariate(table, metric)
    for code in range(len(names)):
        of_variant = variant == code
        if bottom[of_variant].sum() > 0:
            values[of_variant] = linearised(top[of_variant], bottom[of_variant])
    reached = {name: ratio_estimate(top[variant == code], bottom[variant == code]) for code, name in enumerate(names)}
    freed = adjusted(values, before, variant)
    sharper = {
        name: mean_estimate(freed[variant == code]) if bottom[variant == code].sum() > 0 else reached[name]
        for code, name in enumerate(names)
    }
    left = variance_left(values, before, variant)
    return MetricFigures(metric, reached, _compared(reached, experiment), _compared(sharper, experiment), left)


def _compared(reached: Mapping[str, MeanEstimate], experiment: Experiment) -> dict[str, Difference]:
    control = reached[experiment.control]
    return {name: compare(control, reached[name], experiment.plan) for name in experiment.candidates}


def _rails(experiment: Experiment, metrics: Mapping[str, MetricFigures], candidate: str) -> tuple[GuardVerdict, ...]:
    watched = [(rail, metrics[rail.metric].reached) for rail in experiment.rails if rail.metric in metrics]
    return tuple(
        check_rail(rail, reached[experiment.control], reached[candidate], experiment.plan) for rail, reached in watched
    )
