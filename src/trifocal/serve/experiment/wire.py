"""The bodies of the experiment's endpoints. Field names are the API."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trifocal.feedback.experiments import GuardVerdict
from trifocal.serve.experiment.control import Figures, Overview, VariantState
from trifocal.serve.experiment.notes import Stop

__all__ = ["ExperimentAnswer", "StopBody", "VariantBody"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class VariantBody(_Body):
    """Which variant."""

    variant: str = Field(min_length=1, max_length=40)
    """Its name."""


class StopBody(VariantBody):
    """Which variant is to be stopped, and why."""

    reason: str = Field(default="", max_length=500)
    """For whoever reads it later."""


class StopAnswer(_Body):
    """Why a variant is not shown."""

    at: datetime
    by: Literal["guard rail", "hand"]
    reason: str

    @classmethod
    def of(cls, stop: Stop) -> StopAnswer:
        """Return the wire form of `stop`."""
        return cls(at=datetime.fromtimestamp(stop.at_s, UTC), by=stop.by, reason=stop.reason)


class FiguresAnswer(_Body):
    """How a variant does by one metric; null where too little is known."""

    value: float | None
    difference: float | None
    """To the control."""
    low: float | None
    """The difference lies above this; holds at every look, however often one looks."""
    high: float | None
    """The difference lies below this."""
    p: float | None
    """Of no difference, always valid."""

    @classmethod
    def of(cls, figures: Figures) -> FiguresAnswer:
        """Return the wire form of `figures`."""
        found = figures.difference
        return cls(
            value=_known(figures.estimate.mean),
            difference=None if found is None else _known(found.mean),
            low=None if found is None else _known(found.low),
            high=None if found is None else _known(found.high),
            p=None if found is None else _known(found.p),
        )


class RailAnswer(_Body):
    """What a guard rail says of a variant."""

    metric: str
    loss: float | None
    """Against the control; negative = a gain."""
    least_loss: float | None
    """The loss is at least this for certain; null while too little is known."""
    limit: float | None
    """The loss that is tolerated."""
    left: bool
    """Whether the variant has to go."""

    @classmethod
    def of(cls, rail: GuardVerdict) -> RailAnswer:
        """Return the wire form of `rail`."""
        return cls(
            metric=rail.metric,
            loss=_known(rail.loss),
            least_loss=_known(rail.least_loss),
            limit=_known(rail.limit),
            left=rail.stop,
        )


class VariantAnswer(_Body):
    """Where a variant stands."""

    name: str
    share: float
    """Of the shoppers, as it was meant."""
    shoppers: int
    """Who saw it first."""
    impressions: int
    clicks: int
    buyers: int
    """Shoppers who bought."""
    metrics: dict[str, FiguresAnswer]
    rails: tuple[RailAnswer, ...]
    """Its guard rails; none for the control."""
    stopped: StopAnswer | None
    """Why it is not shown, or null: it is."""

    @classmethod
    def of(cls, state: VariantState) -> VariantAnswer:
        """Return the wire form of `state`."""
        impressions, clicks, buyers = state.totals
        return cls(
            name=state.name,
            share=state.share,
            shoppers=state.figures["conversion"].estimate.shoppers,
            impressions=impressions,
            clicks=clicks,
            buyers=buyers,
            metrics={name: FiguresAnswer.of(figures) for name, figures in state.figures.items()},
            rails=tuple(RailAnswer.of(rail) for rail in state.rails),
            stopped=None if state.stop is None else StopAnswer.of(state.stop),
        )


class ExperimentAnswer(_Body):
    """Where the experiment stands; the first variant is the control."""

    name: str
    since: datetime
    looked: datetime | None
    """When the figures were counted; null: not yet."""
    sample_ratio_p: float
    """Of the variants that are shown having their shares, always valid; below .001 something loses shoppers."""
    variants: tuple[VariantAnswer, ...]

    @classmethod
    def of(cls, overview: Overview) -> ExperimentAnswer:
        """Return the wire form of `overview`."""
        looked = overview.looked_s
        return cls(
            name=overview.name,
            since=datetime.fromtimestamp(overview.since_s, UTC),
            looked=None if looked is None else datetime.fromtimestamp(looked, UTC),
            sample_ratio_p=overview.sample_ratio_p,
            variants=tuple(VariantAnswer.of(state) for state in overview.variants),
        )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
