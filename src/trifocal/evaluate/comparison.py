"""Results of several recommenders on the same cases -> one comparison: intervals, paired differences, slices.

Holds numbers only; `report` turns them into a table, a page and JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trifocal.data.cases import Cases
from trifocal.data.splits import Part, Split
from trifocal.errors import DataError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.latency import Latency, measure_latency
from trifocal.evaluate.metrics import coverage
from trifocal.evaluate.protocol import KEPT, Result, evaluate
from trifocal.evaluate.significance import Difference, Interval, interval, paired_differences, resampled_means
from trifocal.evaluate.slices import Slice, history_slices
from trifocal.ports import Recommender
from trifocal.progress import progress_bar

__all__ = ["HEADLINE", "Comparison", "ModelFigures", "compare", "evaluate_all"]

# The metrics of the table, in its order; the first two are plotted, differenced and sliced.
HEADLINE = ("recall@20", "ndcg@10", "map@20")


@dataclass(frozen=True)
class ModelFigures:
    """A row of the table.

    Attributes:
        name: of the recommender.
        metrics: name -> mean over users with its interval; `HEADLINE` first, then the others.
        coverage: share of the candidates that stand in the first 20 of somebody's list.
        latency: of one answer, or None.
        train_seconds: spent learning, or None.
    """

    name: str
    metrics: dict[str, Interval]
    coverage: float
    latency: Latency | None
    train_seconds: float | None


@dataclass(frozen=True)
class Comparison:
    """Everything that is reported about a set of models. Stability: caller.

    Attributes:
        dataset: its name.
        split: the split that was evaluated.
        part: `validation` or `test`.
        users: cases.
        candidates: items that may be recommended.
        models: in the order given; the first is the one that the others are compared with.
        differences: metric -> model name -> first model minus that model.
        slices: metric -> users by history length.
        samples: bootstrap resamples.
    """

    dataset: str
    split: Split
    part: Part
    users: int
    candidates: int
    models: tuple[ModelFigures, ...]
    differences: dict[str, dict[str, Difference]]
    slices: dict[str, list[Slice]]
    samples: int

    def best(self, metric: str) -> str:
        """Return the name of the model with the greatest mean of `metric`."""
        return max(self.models, key=lambda model: model.metrics[metric].mean).name


def evaluate_all(
    recommenders: Sequence[Recommender],
    cases: Cases,
    config: EvaluateConfig,
    train_seconds: dict[str, float] | None = None,
) -> list[Result]:
    """Return the result of each recommender, latency included, under a progress bar.

    Args:
        recommenders: in the order of the table.
        cases: the questions.
        config: lengths and counts.
        train_seconds: recommender name -> seconds spent learning, where known.
    """
    results = []
    with progress_bar("evaluating", len(recommenders)) as bar:
        for recommender in recommenders:
            bar.note(recommender.name)
            latency = measure_latency(recommender, cases.requests, answers=config.latency_requests)
            result = evaluate(recommender, cases, config.k, config.batch)
            seconds = (train_seconds or {}).get(recommender.name)
            results.append(replace(result, latency=latency, train_seconds=seconds))
            bar.advance()
    return results


def compare(
    results: Sequence[Result],
    cases: Cases,
    *,
    dataset: str,
    split: Split,
    part: Part,
    candidates: int,
    config: EvaluateConfig | None = None,
) -> Comparison:
    """Return the comparison of `results`, all on the same `cases`; the first is compared with each other.

    Raises:
        DataError: when there is no result, two have one name, or one is about another number of users.
    """
    _check(results, cases)
    settings = config or EvaluateConfig()
    names = (*HEADLINE, *(name for name in results[0].metrics if name not in HEADLINE))
    columns = {name: np.stack([result.metrics[name] for result in results], axis=1) for name in names}
    # One draw for all models and metrics: every difference is paired, and the work is done once.
    drawn = resampled_means(np.hstack(list(columns.values())), samples=settings.bootstrap_samples, seed=settings.seed)
    resamples = dict(zip(names, np.split(drawn, len(names), axis=1), strict=True))
    models = tuple(
        ModelFigures(
            result.name,
            {name: interval(columns[name][:, place], resamples[name][:, place]) for name in names},
            coverage(result.item_rows[:, :KEPT], candidates),
            result.latency,
            result.train_seconds,
        )
        for place, result in enumerate(results)
    )
    others = [result.name for result in results[1:]]
    return Comparison(
        dataset,
        split,
        part,
        len(cases),
        candidates,
        models,
        {m: dict(zip(others, paired_differences(columns[m], resamples[m]), strict=True)) for m in HEADLINE},
        {metric: history_slices(results, cases, metric) for metric in HEADLINE},
        settings.bootstrap_samples,
    )


def _check(results: Sequence[Result], cases: Cases) -> None:
    names = [result.name for result in results]
    if not names or len(set(names)) < len(names):
        raise DataError(f"the results to compare are named {names}; give at least one, each with its own name")
    for result in results:
        size = len(result.item_rows)
        if size != len(cases):
            raise DataError(f"result {result.name} is about {size} users, the cases about {len(cases)}; evaluate again")
