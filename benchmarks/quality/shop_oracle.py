"""The ceiling of a sample shop: what someone who knows the truth reaches on the questions of `trifocal evaluate`.

`utility` is the oracle that shares are shares of: it ranks by the shopper's true utility at the time of the request,
that is by taste, price, season and drift. `utility + exposure` knows the shop's shelf as well: a shopper takes only
what is shown. It lets the shop's own code play the days of the test `--replays` times, starting from what is known
before, and ranks by expected clicks; more replays make it a little better. A model can learn part of what it knows
and could thus pass `utility`. Neither knows what chance drew in the test: intents, searches, places, clicks.
`inferred` knows all that but the shopper, whom it infers from what is known before the test (train and validation,
whether or not `--refit` is given): `inferred from clicks` from what was clicked and passed over and which categories
were looked for, `inferred` also from dwell, carts, purchases, searches and what the shop chose to show (see
`shop_inference`). What `utility` has above it is not in the history, or not found there by a normal prior.
The truth is read for this comparison only. Prints two tables, and one JSON object on the last line.

    trifocal shop generate runs/shop
    python -m benchmarks.quality.shop_oracle runs/shop --bundle runs/shop-run/trifocal/bundle --refit

Letters: B cases, M models, S resamples.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from benchmarks.quality.shop_evidence import gather
from benchmarks.quality.shop_inference import ALL_TRACES, CLICK_TRACES, fit_prior, inferred_truth
from benchmarks.quality.shop_truth import ORACLE, ExposureOracle, Truth, UtilityOracle

from trifocal import columns as c
from trifocal.baselines import PopularityRecommender
from trifocal.bundle import Bundle, read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import read_dataset
from trifocal.data.histories import interaction_matrix
from trifocal.data.named_splits import named_split
from trifocal.data.splits import Split, restrict
from trifocal.errors import ArtifactError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import Result, evaluate
from trifocal.evaluate.significance import interval, resampled_means
from trifocal.evaluate.slices import LENGTH_BUCKETS
from trifocal.features.context import ContextVocabulary
from trifocal.features.items import FeatureState
from trifocal.ports import Recommender
from trifocal.types import Vocabulary

__all__ = ["EVERYBODY", "METRICS", "Row", "history_groups", "inferred_oracles", "main", "measured", "share_interval"]

METRICS = ("recall@20", "ndcg@10")
# The metric that shares are shares of.
_SHARED = METRICS.index("ndcg@10")
EVERYBODY = "all"
FROM_CLICKS, INFERRED, INFERRED_EXPOSURE = "inferred from clicks", "inferred", "inferred + exposure"

Values = npt.NDArray[np.float64]
Figure = tuple[float, float, float]
"""A value and the ends of its 95 % interval."""


@dataclass(frozen=True)
class Row:
    """One recommender on the users whose history has one length.

    Attributes:
        history: label of the length.
        users: n.
        name: of the recommender.
        recall: Recall@20.
        ndcg: nDCG@10.
        share: nDCG@10 / that of the oracle; NaN where the oracle has none.
    """

    history: str
    users: int
    name: str
    recall: Figure
    ndcg: Figure
    share: Figure


def share_interval(values: Values, resamples: Values, place: int) -> Figure:
    """Return mean of column `place` / mean of column 0, with the 95 % interval of the ratio of resampled means.

    Both means of a resample are of the same users, so that the interval is paired. Resamples in which the oracle has
    nothing are left out.

    Means (4, 2); ratios of the three resamples 1/2, 1/2 and 3/4, at 2.5 and 97.5 % of the order .5 and .7375.

    >>> means = np.array([[4.0, 2.0], [2.0, 1.0], [4.0, 3.0]])
    >>> [round(x, 4) for x in share_interval(np.array([[8.0, 4.0], [0.0, 0.0]]), means, 1)]
    [0.5, 0.5, 0.7375]

    Args:
        values: (B, M) a figure a user, the oracle first.
        resamples: (S, M) their resampled means.
        place: the column asked for.
    """
    known = resamples[resamples[:, 0] > 0]
    if not len(known) or not values[:, 0].any():
        return (float("nan"),) * 3
    low, high = np.percentile(known[:, place] / known[:, 0], (2.5, 97.5))
    means = values.mean(axis=0)
    return float(means[place] / means[0]), float(low), float(high)


def history_groups(cases: Cases) -> dict[str, npt.NDArray[np.bool_]]:
    """Return the cases (B,) of each length of history, all of them first; lengths that nobody has are left out."""
    lengths = np.array([len(request.history) for request in cases.requests])
    groups = {EVERYBODY: np.ones(len(cases), dtype=np.bool_)}
    for first, last in LENGTH_BUCKETS:
        label = f"{first}+" if last is None else str(first) if first == last else f"{first}-{last}"
        groups[label] = (lengths >= first) & (lengths <= (lengths.max() if last is None else last))
    return {label: inside for label, inside in groups.items() if inside.any()}


def measured(results: Sequence[Result], cases: Cases, config: EvaluateConfig) -> list[Row]:
    """Return a row for each length of history and result; the first result is the oracle."""
    values = np.stack([[result.metrics[metric] for metric in METRICS] for result in results], axis=-1).T
    names = [result.name for result in results]
    groups = history_groups(cases).items()
    return [row for label, inside in groups for row in _rows(label, names, values[:, inside], config)]


def _rows(label: str, names: Sequence[str], values: Values, config: EvaluateConfig) -> list[Row]:
    """Return a row for each of the models M from their `values` (M, B, metrics)."""
    users = values.shape[1]
    columns = [np.ascontiguousarray(values[:, :, metric].T) for metric in range(len(METRICS))]
    # The same draw of users for both metrics and all models: every ratio is paired.
    drawn = [resampled_means(each, samples=config.bootstrap_samples, seed=config.seed) for each in columns]
    rows = []
    for place, name in enumerate(names):
        pairs = zip(columns, drawn, strict=True)
        found = [interval(each[:, place], means[:, place]) for each, means in pairs]
        recall, ndcg = ((figure.mean, figure.low, figure.high) for figure in found)
        share = share_interval(columns[_SHARED], drawn[_SHARED], place)
        rows.append(Row(label, users, name, recall, ndcg, share))
    return rows


def inferred_oracles(truth: Truth, split: Split, users: Vocabulary, *, replays: int, seed: int) -> list[Recommender]:
    """Return the recommenders that know all of the truth but the shoppers, for `users` on the test of `split`."""
    evidence, prior = gather(truth, split.before("test"), users), fit_prior(truth.utility.products)
    from_clicks, inferred = (
        inferred_truth(truth, users, evidence, prior, traces) for traces in (CLICK_TRACES, ALL_TRACES)
    )
    exposure = ExposureOracle.of(inferred, split, users, replays=replays, seed=seed)
    return [
        UtilityOracle(from_clicks, FROM_CLICKS),
        UtilityOracle(inferred, INFERRED),
        replace(exposure, name=INFERRED_EXPOSURE),
    ]


def _bundles(folders: Sequence[Path], vocabulary: Vocabulary) -> list[Bundle]:
    bundles = [read_bundle(folder) for folder in folders]
    for bundle in bundles:
        if tuple(bundle.contents.items[c.ITEM_ID]) != vocabulary.ids:
            raise ArtifactError(f"{bundle.folder} was trained on other items than this shop has; train again")
        if bundle.contents.feature_state["context"] != bundles[0].contents.feature_state["context"]:
            raise ArtifactError(
                f"{bundle.folder} and {bundles[0].folder} code the context differently; ask one at a time"
            )
    return bundles


def _context(bundles: Sequence[Bundle], split: Split) -> ContextVocabulary:
    if bundles:
        return FeatureState.from_json(bundles[0].contents.feature_state).context
    return ContextVocabulary.fit(split.train[c.DEVICE], split.train[c.COUNTRY])


def _named(recommender: Recommender, folder: Path, cases: Cases, config: EvaluateConfig) -> Result:
    """Return the result of a bundle, named by its folder: two runs may hold models of one name."""
    result = evaluate(recommender, cases, config.k, config.batch)
    return replace(result, name=str(folder))


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the oracles, popularity and the bundles; print the tables and the JSON line."""
    options = _options(arguments)
    config = EvaluateConfig(seed=options.seed, bootstrap_samples=options.samples)
    whole = read_dataset(options.shop)
    split = named_split(whole, "time")
    vocabulary = restrict(whole, split).vocabulary()
    bundles = _bundles(options.bundle, vocabulary)
    # Before the replays, so that a bundle that does not load is told at once.
    models = [load_recommender(bundle) for bundle in bundles]
    cases = build_cases(split, "test", vocabulary, _context(bundles, split))
    truth = Truth.read(options.shop / "truth", vocabulary)
    learned, users = split.refit() if options.refit else split, Vocabulary.of(cases.user_ids)
    known: list[Recommender] = [
        UtilityOracle(truth),
        ExposureOracle.of(truth, split, users, replays=options.replays, seed=options.seed),
        *inferred_oracles(truth, split, users, replays=options.replays, seed=options.seed),
        PopularityRecommender.fit(interaction_matrix(learned.train, vocabulary)[0]),
    ]
    results = [evaluate(recommender, cases, config.k, config.batch) for recommender in known]
    results += [_named(*pair, cases, config) for pair in zip(models, options.bundle, strict=True)]
    rows = measured(results, cases, config)
    _print_table([row for row in rows if row.history == EVERYBODY])
    _print_table([row for row in rows if row.history != EVERYBODY])
    about = {"shop": options.shop.name, "split": split.name, "fingerprint": split.fingerprint, "oracle": ORACLE}
    told = {"replays": options.replays, "refit": options.refit, "samples": options.samples, "seed": options.seed}
    print(json.dumps({**about, **told, "rows": [_as_json(row) for row in rows]}))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shop", type=Path, help="a folder that `trifocal shop generate` wrote")
    parser.add_argument("--bundle", type=Path, nargs="+", default=[], help="folders of models trained on this shop")
    parser.add_argument("--refit", action="store_true", help="popularity learns from train + validation")
    parser.add_argument("--replays", type=int, default=8, help="plays of the days of the test")
    parser.add_argument("--samples", type=int, default=2000, help="bootstrap resamples of the users")
    parser.add_argument("--seed", type=int, default=0, help="of replays and bootstrap")
    return parser.parse_args(arguments)


def _print_table(rows: Sequence[Row]) -> None:
    width = max(len(row.name) for row in rows) + 2
    print(f"{'history':<9}{'users':>7}  {'':<{width}}{'Recall@20':<22}{'nDCG@10':<22}{'share of the oracle':<22}")
    for row in rows:
        figures = "".join(f"{_shown(figure):<22}" for figure in (row.recall, row.ndcg, row.share))
        print(f"{row.history:<9}{row.users:>7,}  {row.name:<{width}}{figures.rstrip()}")
    print()


def _shown(figure: Figure) -> str:
    return "{:.3f} [{:.3f}, {:.3f}]".format(*figure)


def _as_json(row: Row) -> dict[str, object]:
    figures = {"recall@20": row.recall, "ndcg@10": row.ndcg, "share": row.share}
    # JSON has no NaN.
    rounded = {
        name: None if math.isnan(figure[0]) else [round(value, 4) for value in figure]
        for name, figure in figures.items()
    }
    return {"history": row.history, "users": row.users, "name": row.name, **rounded}


if __name__ == "__main__":
    main()
