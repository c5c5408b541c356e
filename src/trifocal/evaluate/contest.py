"""Contestants -> results on disk, one by one: tuned on validation, fitted, asked, stored. A killed run goes on.

```
FOLDER/<name>/   a result (see `stored`); what is there is not fitted again
```

The folder belongs to one split, one choice of training events and one budget: `results_folder` names it after them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from trifocal import columns as c
from trifocal.baselines.tuning import Budget, Tuned, tune
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import Dataset
from trifocal.data.splits import Split, restrict
from trifocal.evaluate.comparison import Comparison, compare
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.contestants import Contestant
from trifocal.evaluate.facts import item_facts
from trifocal.evaluate.footprint import footprint
from trifocal.evaluate.known import Content, Known, Settings, known_of
from trifocal.evaluate.latency import measure_latency
from trifocal.evaluate.protocol import CasesValidator, Result, evaluate, pool_seeds
from trifocal.evaluate.satisfaction import hit_satisfaction
from trifocal.evaluate.stored import load_result, save_result
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.config import FeaturesConfig
from trifocal.features.context import ContextVocabulary
from trifocal.features.items import encode_catalogue
from trifocal.feedback.config import SatisfactionConfig
from trifocal.ports import Recommender, Validator
from trifocal.types import Vocabulary

__all__ = ["Contest", "compared", "prepare_contest", "results_folder", "run_contest", "scored", "stored_or"]

# As many as training looks at after each epoch.
_VALIDATION_USERS = 2000


@dataclass(frozen=True)
class Contest:
    """What all contestants share.

    Attributes:
        dataset: with the items of the split alone.
        split: as the asked models have learned from it.
        tuning: what may be learned from while settings are chosen: train.
        final: what the asked models learn from: train, or train + validation.
        validate: scores a recommender on validation.
        cases: the questions of the test.
        config: list lengths and counts.
        budget: of each contestant.
        seeds: of the contestants that draw at random.
        folder: where results are kept.
    """

    dataset: Dataset
    split: Split
    tuning: Known
    final: Known
    validate: Validator
    cases: Cases
    config: EvaluateConfig
    budget: Budget
    seeds: tuple[int, ...]
    folder: Path

    @property
    def vocabulary(self) -> Vocabulary:
        """The items, in the order of the recommenders' rows."""
        return self.dataset.vocabulary()


def prepare_contest(
    whole: Dataset,
    split: Split,
    *,
    refit: bool,
    budget: Budget,
    seeds: tuple[int, ...],
    root: Path,
    features: FeaturesConfig,
    cache: Path,
    config: EvaluateConfig,
) -> Contest:
    """Return the contest on `split`, encoding the items that `cache` does not hold.

    Settings are chosen by what learned from train alone, on at most 2,000 validation users; `refit` adds validation to
    what the asked models learn from.
    """
    dataset, last = restrict(whole, split), split.refit() if refit else split
    vocabulary = dataset.vocabulary()
    context = ContextVocabulary.fit(split.train[c.DEVICE].unique(), split.train[c.COUNTRY].unique())
    content = _content(dataset, features, cache)
    tuning = known_of(split.train, vocabulary, context, content)
    return Contest(
        dataset=dataset,
        split=last,
        tuning=tuning,
        final=known_of(last.train, vocabulary, context, content) if refit else tuning,
        validate=CasesValidator(build_cases(split, "validation", vocabulary, context).sample(_VALIDATION_USERS)),
        cases=build_cases(split, "test", vocabulary, context),
        config=config,
        budget=budget,
        seeds=seeds,
        folder=results_folder(root, split, features, refit=refit, budget=budget, seeds=seeds),
    )


def _content(dataset: Dataset, features: FeaturesConfig, cache: Path) -> Content:
    attributes = AttributeEncoder.fit(
        dataset.items, price_buckets=features.price_buckets, max_values=features.max_attribute_values
    )
    encoded = encode_catalogue(dataset.items, dataset.image_root, attributes, features, cache)
    return Content(encoded.pooled_text(), encoded.pooled_image())


def compared(
    results: Sequence[Result],
    contest: Contest,
    *,
    failures: tuple[tuple[str, str], ...] = (),
    satisfaction: SatisfactionConfig | None = None,
) -> Comparison:
    """Return the comparison of `results`, with slices, list metrics, and satisfaction where dwell was logged."""
    content, split = contest.tuning.content, contest.split
    facts = item_facts(contest.dataset, split, text_vectors=content.text, image_vectors=content.image)
    found = compare(
        results,
        contest.cases,
        dataset=contest.dataset.name,
        split=split,
        part="test",
        candidates=len(split.items or contest.vocabulary.ids),
        config=contest.config,
        facts=facts,
    )
    trials, minutes = contest.budget.trials, contest.budget.core_seconds / 60
    tuned = f"tuned on validation: {trials} trials, or {minutes:g} minutes of one core, whichever ends first"
    return replace(
        found,
        seeds=contest.seeds,
        notes=(f"each baseline was {tuned if trials else 'given published settings'}",),
        failures=failures,
        satisfaction=hit_satisfaction(results, contest.cases, contest.dataset, split, satisfaction, contest.config),
    )


def results_folder(
    root: Path, split: Split, features: FeaturesConfig, *, refit: bool, budget: Budget, seeds: Sequence[int]
) -> Path:
    """Return the folder under `root` for results on this split, with this training part, encoders, budget and seeds."""
    part = "train-validation" if refit else "train"
    told = f"{split.fingerprint} {split.questions} {split.items} {features.encoders_json()} {budget} {tuple(seeds)}"
    return root / f"{split.name}-{part}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def run_contest(contestants: Sequence[Contestant], contest: Contest) -> list[Result]:
    """Return the result of each of `contestants`, in their order; one without times to learn from is left out."""
    chosen: dict[str, Settings] = {}
    results = []
    for contestant in contestants:
        if contestant.needs_times and not contest.tuning.has_times:
            continue
        result = stored_or(contest.folder / contestant.name, partial(_played, contestant, contest, chosen))
        chosen[contestant.name] = _as_settings(result)
        results.append(result)
    return results


def stored_or(folder: Path, make: Callable[[], Result]) -> Result:
    """Return the result in `folder`; where there is none, that of `make`, which is then stored there."""
    if not (folder / "result.json").is_file():
        save_result(folder, make())
    return load_result(folder)


def _played(contestant: Contestant, contest: Contest, chosen: dict[str, Settings]) -> Result:
    tuning, final = (replace(known, settings=chosen) for known in (contest.tuning, contest.final))
    tuned = _tuned(contestant, contest, tuning)
    settings = (contestant.first or {}) if tuned is None else tuned.settings
    seeds = contest.seeds if contestant.seeded else contest.seeds[:1]
    pooled = pool_seeds([_asked(contestant, contest, settings, final, seed) for seed in seeds])
    return replace(pooled, settings=dict(settings), tuning="" if tuned is None else tuned.spent)


def _tuned(contestant: Contestant, contest: Contest, known: Known) -> Tuned | None:
    if contestant.suggest is None or contest.budget.trials == 0:
        return None
    return tune(
        contestant.name,
        contestant.suggest,
        lambda settings: contestant.fit(settings, known, contest.seeds[0]),
        contest.validate,
        budget=contest.budget,
        first=contestant.first,
    )


def _asked(contestant: Contestant, contest: Contest, settings: Settings, known: Known, seed: int) -> Result:
    started = time.perf_counter()
    recommender = contestant.fit(settings, known, seed)
    seconds = time.perf_counter() - started
    return replace(scored(recommender, contest.cases, contest.config), name=contestant.name, train_seconds=seconds)


def scored(recommender: Recommender, cases: Cases, config: EvaluateConfig) -> Result:
    """Return the result of `recommender` with its latency and its size."""
    latency = measure_latency(recommender, cases.requests, answers=config.latency_requests)
    parameters, size_mb = footprint(recommender)
    result = evaluate(recommender, cases, config.k, config.batch)
    return replace(result, latency=latency, parameters=parameters, size_mb=size_mb)


def _as_settings(result: Result) -> Settings:
    return {name: value for name, value in result.settings.items() if isinstance(value, int | float | str)}
