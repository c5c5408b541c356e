"""Results of several recommenders on the same cases -> one comparison: intervals, paired differences, slices.

Holds numbers only; `report` turns them into a table and a page, `results` into JSON and Markdown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trifocal.data.cases import Cases
from trifocal.data.splits import Part, Split
from trifocal.errors import DataError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.diversity import intra_list_diversity
from trifocal.evaluate.facts import ItemFacts
from trifocal.evaluate.latency import Latency, measure_latency
from trifocal.evaluate.metrics import coverage, gini, novelty
from trifocal.evaluate.protocol import KEPT, Result, evaluate
from trifocal.evaluate.satisfaction import HitSatisfaction
from trifocal.evaluate.significance import Difference, Interval, interval, paired_differences, resampled_means
from trifocal.evaluate.slices import Slice, history_slices, item_slices
from trifocal.ports import Recommender
from trifocal.progress import progress_bar
from trifocal.types import FloatArray, IntArray

__all__ = ["HEADLINE", "Comparison", "ModelFigures", "compare", "evaluate_all"]

# The metrics of the table, in its order; the first two are plotted, differenced and sliced.
HEADLINE = ("recall@20", "ndcg@10", "map@20")


@dataclass(frozen=True)
class ModelFigures:
    """A row of the table. None stands where something was not measured.

    Attributes:
        name: of the recommender.
        metrics: name -> mean over users with its interval; `HEADLINE` first, then the others.
        coverage: share of the candidates that stand in the first 20 of somebody's list.
        latency: of one answer.
        train_seconds: spent learning, a training seed.
        gini: how unevenly the first 20 places go to the candidates, 0 = evenly, 1 = all to one.
        novelty: mean self-information of the items in the first 20 places, in bits.
        diversity_text: mean unlikeness in text of two items of the first 20 of one list.
        diversity_image: the same in pictures.
        parameters: numbers that were learned.
        size_mb: of the stored model, in megabytes of 10^6 bytes.
        version: of the package that a rival comes from.
        settings: name -> value, as they were chosen on validation.
        tuning: what that choice took.
        seed_means: metric -> mean over users, one entry a training seed; empty where one training was measured.
    """

    name: str
    metrics: dict[str, Interval]
    coverage: float
    latency: Latency | None = None
    train_seconds: float | None = None
    gini: float | None = None
    novelty: float | None = None
    diversity_text: float | None = None
    diversity_image: float | None = None
    parameters: int | None = None
    size_mb: float | None = None
    version: str = ""
    settings: dict[str, object] = field(default_factory=dict)
    tuning: str = ""
    seed_means: tuple[dict[str, float], ...] = ()


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
        slices: metric -> classes of users and of target items.
        samples: bootstrap resamples.
        seeds: of the trainings whose mean is shown; empty = one training a model.
        notes: what a reader must know beside the split's own note.
        failures: name and error of each model that was to be compared and could not be.
        satisfaction: of the logged sessions that each model would have hit, where dwell was logged.
        knockout: the first model against itself without a part of what it knows, where that was asked for.
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
    seeds: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    satisfaction: tuple[HitSatisfaction, ...] = ()
    knockout: Comparison | None = None

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
    facts: ItemFacts | None = None,
) -> Comparison:
    """Return the comparison of `results`, all on the same `cases`; the first is compared with each other.

    Seeds, notes, failures and satisfaction are the caller's to add: `replace(comparison, seeds=(0, 1, 2))`.

    Args:
        results: one a model; of several training seeds pooled.
        cases: who was asked.
        dataset: its name.
        split: as it stands in the report.
        part: `validation` or `test`.
        candidates: items that may be recommended.
        config: resamples and seed.
        facts: of the items; without them there are no slices by item, no novelty and no diversity.

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
    intervals = [
        {name: interval(columns[name][:, place], resamples[name][:, place]) for name in names}
        for place in range(len(results))
    ]
    others = [result.name for result in results[1:]]
    return Comparison(
        dataset,
        split,
        part,
        len(cases),
        candidates,
        tuple(_figures(*pair, candidates, facts) for pair in zip(results, intervals, strict=True)),
        {m: dict(zip(others, paired_differences(columns[m], resamples[m]), strict=True)) for m in HEADLINE},
        _slices(results, cases, facts),
        settings.bootstrap_samples,
    )


def _figures(result: Result, metrics: dict[str, Interval], candidates: int, facts: ItemFacts | None) -> ModelFigures:
    first = result.item_rows[:, :KEPT]
    return ModelFigures(
        name=result.name,
        metrics=metrics,
        coverage=coverage(first, candidates),
        latency=result.latency,
        train_seconds=result.train_seconds,
        gini=gini(first, candidates),
        novelty=_novelty(first, facts),
        diversity_text=_diversity(first, None if facts is None else facts.text_vectors),
        diversity_image=_diversity(first, None if facts is None else facts.image_vectors),
        parameters=result.parameters,
        size_mb=result.size_mb,
        version=result.version,
        settings=result.settings,
        tuning=result.tuning,
        seed_means=result.seed_means,
    )


def _novelty(item_rows: IntArray, facts: ItemFacts | None) -> float | None:
    if facts is None or facts.train_users == 0:
        return None
    return novelty(item_rows, facts.train_counts, facts.train_users)


def _diversity(item_rows: IntArray, vectors: FloatArray | None) -> float | None:
    if vectors is None:
        return None
    values = intra_list_diversity(item_rows, vectors)
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _slices(results: Sequence[Result], cases: Cases, facts: ItemFacts | None) -> dict[str, list[Slice]]:
    users = {metric: history_slices(results, cases, metric) for metric in HEADLINE}
    items = {} if facts is None else item_slices(results, cases, facts, HEADLINE)
    return {metric: [*found, *items.get(metric, [])] for metric, found in users.items()}


def _check(results: Sequence[Result], cases: Cases) -> None:
    names = [result.name for result in results]
    if not names or len(set(names)) < len(names):
        raise DataError(f"the results to compare are named {names}; give at least one, each with its own name")
    for result in results:
        size = len(result.item_rows)
        if size != len(cases):
            raise DataError(f"result {result.name} is about {size} users, the cases about {len(cases)}; evaluate again")
