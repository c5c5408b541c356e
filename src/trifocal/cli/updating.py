"""One round of an update: train, compare with the serving bundle, write the bundle and its report either way.

```
OUT/bundle/       the updated bundle, promoted or not
   /update.json   the verdict and its figures; /update.html for people
   /checkpoints/  to go on from after a kill
```
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trifocal import columns as c
from trifocal.bundle import Bundle, Manifest, write_bundle
from trifocal.cli.origin import origin
from trifocal.data.cases import build_cases
from trifocal.data.splits import Split
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.gate import Verdict, verdict_of
from trifocal.evaluate.translated import Terms, TranslatedRecommender, bundle_terms
from trifocal.evaluate.update_report import UpdateReport, write_update_report
from trifocal.features.items import FeatureState
from trifocal.train.update import (
    Update,
    Updated,
    judged_split,
    learned_until,
    served_recommender,
    train_update,
    update_split,
    updated_contents,
)
from trifocal.types import IntArray, Vocabulary

__all__ = ["Round", "known_rows", "run_update", "serving_in"]

_METRIC = "ndcg@10"


@dataclass(frozen=True)
class Round:
    """What came out of an update."""

    manifest: Manifest
    report: UpdateReport


def run_update(update: Update, config: EvaluateConfig, out: Path, *, forgotten: int = 0) -> Round:
    """Return the updated bundle's manifest and report, both written into `out`.

    Args:
        update: what learns on, from what.
        config: list length and bootstrap of the comparison.
        out: made where it is not there.
        forgotten: users whose past was left out, for the report.
    """
    started = time.perf_counter()
    split = update_split(update.dataset, update.bundle, update.config)
    # Before the training, which would be for nothing.
    judged = judged_split(update, split)
    updated = train_update(update, split)
    verdict = _verdict(update, updated, judged, config)
    contents = updated_contents(updated, update, validation=verdict.whole.updated)
    manifest = write_bundle(contents, out / "bundle", overwrite=True)
    seconds = time.perf_counter() - started
    report = _report(update, split, manifest, verdict, forgotten=forgotten, seconds=seconds)
    write_update_report(report, out, origin(manifest.data_fingerprint))
    return Round(manifest, report)


def serving_in(bundle: Bundle, items: Vocabulary, state: FeatureState) -> TranslatedRecommender:
    """Return the recommender of `bundle`, asked in the terms of `items` and `state`."""
    cases = Terms(items, state.context.devices, state.context.countries)
    return TranslatedRecommender(served_recommender(bundle), bundle_terms(bundle), cases)


def known_rows(bundle: Bundle, items: Vocabulary) -> IntArray:
    """Return the rows of those of `items` that `bundle` knows, rising."""
    rows = items.rows(bundle.contents.items[c.ITEM_ID].to_list())
    return np.sort(rows[rows >= 0])


def _verdict(update: Update, updated: Updated, judged: Split, config: EvaluateConfig) -> Verdict:
    items, state = updated.dataset.vocabulary(), updated.data.state
    cases = build_cases(judged, "validation", items, state.context)
    return verdict_of(
        updated.trained.recommender,
        serving_in(update.bundle, items, state),
        cases.sample(update.config.compare_users),
        config,
        known=known_rows(update.bundle, items),
        n_items=len(items),
        margin=update.config.margin,
        metric=_METRIC,
    )


def _report(
    update: Update, split: Split, manifest: Manifest, verdict: Verdict, *, forgotten: int, seconds: float
) -> UpdateReport:
    since, times = learned_until(update.bundle), split.refit().train[c.TIMESTAMP]
    known = set(update.bundle.contents.items[c.ITEM_ID])
    return UpdateReport(
        dataset=update.dataset.name,
        serving=update.bundle.manifest.model_version,
        updated=manifest.model_version,
        verdict=verdict,
        since=f"{since:%Y-%m-%d %H:%M}",
        held_out_from=f"{split.validation[c.TIMESTAMP][0]:%Y-%m-%d %H:%M}",
        until=f"{times[-1]:%Y-%m-%d %H:%M}",
        new_events=int((times > since).sum()),
        new_items=manifest.counts["items"] - len(known & set(split.items or update.dataset.items[c.ITEM_ID])),
        forgotten_users=forgotten,
        seconds=seconds,
    )
