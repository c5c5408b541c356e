"""May an updated model follow the one that serves? Both on the same cases, paired, with an interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trifocal.data.cases import Cases
from trifocal.errors import DataError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import evaluate
from trifocal.evaluate.significance import paired_differences, resampled_means
from trifocal.ports import Recommender
from trifocal.types import IntArray, Request

__all__ = ["Compared", "Verdict", "compared_on", "of_items", "verdict_of"]


@dataclass(frozen=True)
class Compared:
    """The mean figures of two models on the same cases, and the 95 % interval of their difference.

    Attributes:
        metric: name of the figure.
        cases: number of users.
        updated: mean of the updated model.
        serving: mean of the one that serves.
        low: lower end of the interval of updated - serving.
        high: upper end.
    """

    metric: str
    cases: int
    updated: float
    serving: float
    low: float
    high: float

    @property
    def gap(self) -> float:
        """How much greater the mean of the updated model is."""
        return self.updated - self.serving

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        figures = {name: round(getattr(self, name), 6) for name in ("updated", "serving", "gap", "low", "high")}
        return {"metric": self.metric, "cases": self.cases, **figures}


@dataclass(frozen=True)
class Verdict:
    """What came out of the comparison.

    Attributes:
        whole: on all cases.
        known: on those items alone that the serving model knows; None = no case asks for one.
        margin: share of the serving figure that the lower end may lie below 0.
    """

    whole: Compared
    known: Compared | None
    margin: float

    @property
    def least(self) -> float:
        """What the lower end of the interval must reach."""
        return -self.margin * self.whole.serving

    @property
    def promoted(self) -> bool:
        """Whether the updated model is not worse, as far as the cases can tell.

        Serving .2, margin .05: the lower end may lie at -.01, not below.

        >>> kept = [Compared("ndcg@10", 100, 0.2, 0.2, low, 0.02) for low in (-0.009, -0.011)]
        >>> [Verdict(compared, None, 0.05).promoted for compared in kept]
        [True, False]
        """
        return self.whole.low >= self.least

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain values."""
        return {
            "promoted": self.promoted,
            "least": round(self.least, 6),
            "margin": self.margin,
            "all_items": self.whole.to_json(),
            "known_items": None if self.known is None else self.known.to_json(),
        }


def compared_on(
    updated: Recommender, serving: Recommender, cases: Cases, config: EvaluateConfig, *, metric: str = "ndcg@10"
) -> Compared:
    """Return how `updated` stands to `serving` on `cases`, by a paired bootstrap over users."""
    results = [evaluate(recommender, cases, config.k, config.batch) for recommender in (updated, serving)]
    values = np.stack([result.metrics[metric] for result in results], axis=1)
    resamples = resampled_means(values, samples=config.bootstrap_samples, seed=config.seed)
    difference = paired_differences(values, resamples)[0]
    means = values.mean(axis=0)
    return Compared(metric, len(cases), float(means[0]), float(means[1]), difference.low, difference.high)


def verdict_of(
    updated: Recommender,
    serving: Recommender,
    cases: Cases,
    config: EvaluateConfig,
    *,
    known: IntArray,
    n_items: int,
    margin: float,
    metric: str = "ndcg@10",
) -> Verdict:
    """Return the verdict on `updated`.

    Args:
        updated: knows all items of the cases.
        serving: knows some; what it does not know counts as missed.
        cases: new to both.
        config: list length, bootstrap.
        known: rows of the items that `serving` knows.
        n_items: N, of all.
        margin: see `Verdict`.
        metric: the figure that decides.

    Raises:
        DataError: when there is no case.
    """
    if len(cases) == 0:
        raise DataError("0 cases were given to compare two models on; hold out more days (update.held_out_days)")
    old = of_items(cases, known, n_items)
    return Verdict(
        compared_on(updated, serving, cases, config, metric=metric),
        compared_on(updated, serving, old, config, metric=metric) if len(old) else None,
        margin,
    )


def of_items(cases: Cases, rows: IntArray, n_items: int) -> Cases:
    """Return the cases that ask for one of the items `rows`, among these alone; histories stay whole.

    Args:
        cases: over all items.
        rows: of those that may be asked for and recommended.
        n_items: N, of all.
    """
    others = np.setdiff1d(np.arange(n_items), rows)
    kept = [np.intersect1d(truth, rows, assume_unique=True) for truth in cases.truths]
    asked = [place for place, truth in enumerate(kept) if len(truth)]
    return Cases(
        tuple(cases.user_ids[place] for place in asked),
        tuple(_without(cases.requests[place], others) for place in asked),
        tuple(kept[place] for place in asked),
    )


def _without(request: Request, rows: IntArray) -> Request:
    return replace(request, exclude=np.union1d(request.exclude, rows))
