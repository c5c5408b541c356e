"""Lists and the level of each thinned item -> quality against what is known of an item, with intervals, n beside it.

What is counted is a test event: a user, and a thinned item that the user went on to take, looked for in the whole
list. Users and items were both drawn, and items in the smaller number, so both are resampled: the pigeonhole bootstrap.
Holds numbers only; `item_curve_page` and `item_curve_plot` draw them.

Letters: P pairs of user and item, U users, I items, M models, S resamples, K places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trifocal.data.cases import Cases
from trifocal.errors import DataError
from trifocal.evaluate.significance import Difference, Interval, interval, paired_differences
from trifocal.types import IntArray, Vocabulary

__all__ = ["CURVE_METRICS", "ItemCurve", "LevelFigures", "Pairs", "item_curve", "pair_figures", "pigeonhole_means"]

CURVE_METRICS = ("recall@20", "ndcg@10")

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """P test events on thinned items; entry p of each field is about the same one.

    Attributes:
        owners: place of the user among the cases.
        item_rows: the item that the user went on to take.
        levels: interactions that were left of it.
    """

    owners: IntArray
    item_rows: IntArray
    levels: IntArray

    @classmethod
    def of(cls, cases: Cases, levels: Mapping[str, int], vocabulary: Vocabulary) -> Pairs:
        """Return the pairs of `cases`; targets that are no thinned items are left out."""
        by_row = np.full(len(vocabulary), -1, dtype=np.int64)
        by_row[vocabulary.rows(list(levels))] = list(levels.values())
        owners = np.repeat(np.arange(len(cases)), [len(truth) for truth in cases.truths])
        rows = np.concatenate([np.zeros(0, np.int64), *cases.truths])
        inside = by_row[rows] >= 0
        return cls(owners[inside], rows[inside], by_row[rows[inside]])

    def at(self, level: int) -> Pairs:
        """Return the pairs whose item was thinned to `level`."""
        inside = self.levels == level
        return Pairs(self.owners[inside], self.item_rows[inside], self.levels[inside])

    def __len__(self) -> int:
        return len(self.owners)


@dataclass(frozen=True)
class LevelFigures:
    """The figures of one level of the curve.

    Attributes:
        level: interactions that were left of its items.
        events: P, test events that ask for them.
        items: distinct items among those.
        users: distinct users.
        models: model -> metric -> mean over the events, with its interval.
        differences: metric -> other model -> the first model minus that one; p after Holm over the others.
    """

    level: int
    events: int
    items: int
    users: int
    models: Mapping[str, Mapping[str, Interval]]
    differences: Mapping[str, Mapping[str, Difference]]


@dataclass(frozen=True)
class ItemCurve:
    """Quality of several models against the interactions of an item. Stability: caller.

    Attributes:
        dataset: its name.
        split: its name.
        note: how the items were chosen and thinned.
        fingerprint: of the split.
        candidates: items that were ranked.
        seeds: trainings a model.
        levels: rising.
    """

    dataset: str
    split: str
    note: str
    fingerprint: str
    candidates: int
    seeds: Mapping[str, int]
    levels: tuple[LevelFigures, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The models, the one that the others are compared with first."""
        return tuple(self.levels[0].models)


def item_curve(
    lists: Mapping[str, Sequence[IntArray]], pairs: Pairs, *, samples: int = 2000, seed: int = 0
) -> tuple[LevelFigures, ...]:
    """Return the figures of every level that is asked for.

    Args:
        lists: model -> one array of item rows (B, K) a training seed, K at least 20; a figure is the mean over seeds.
        pairs: what is looked for in them.
        samples: resamples of users and items.
        seed: of the resampling.

    Raises:
        DataError: when there is no pair, or a list has fewer than 20 places.
    """
    if not len(pairs):
        raise DataError("0 test events ask for a thinned item; use a split whose test has some")
    found = {
        name: {metric: _mean_figures(seeds, pairs, metric) for metric in CURVE_METRICS} for name, seeds in lists.items()
    }
    return tuple(_at_level(int(level), found, pairs, samples, seed) for level in np.unique(pairs.levels))


def pair_figures(item_rows: IntArray, pairs: Pairs, metric: str) -> Values:
    """Return what each pair adds to the mean of `metric`, (P,): its item is the one thing that is looked for.

    recall@20: 1 where the item is among the first 20. ndcg@10: 1 / log2(place + 1) among the first 10, the best list
    having the item in front. Definitions as in `trifocal.evaluate.metrics`, for one relevant item.

    The item 7 stands at place 3 of the list: 1 / log2 4.

    >>> pairs = Pairs(np.array([0]), np.array([7]), np.array([5]))
    >>> pair_figures(np.array([[4, 2, 7, *range(10, 27)]]), pairs, "ndcg@10").tolist()
    [0.5]

    Args:
        item_rows: (B, K) lists of the users, best first.
        pairs: what is looked for.
        metric: one of `CURVE_METRICS`.

    Raises:
        DataError: when a list has fewer places than the metric looks at.
    """
    k = int(metric.partition("@")[2])
    if item_rows.shape[1] < k:
        raise DataError(f"{metric} was asked of lists of {item_rows.shape[1]} places; rank at least {k} items")
    hits = item_rows[pairs.owners, :k] == pairs.item_rows[:, None]
    gains = np.ones(k) if metric.startswith("recall") else 1 / np.log2(np.arange(2, k + 2))
    found: Values = hits @ gains
    return found


def pigeonhole_means(values: Values, owners: IntArray, items: IntArray, *, samples: int, seed: int) -> Values:
    """Return the means (S, M) of `values` (P, M) over resamples in which users and items are both drawn anew.

    A pair counts as often as its user times as often as its item was drawn.
    Source: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007), section 3: for data of two crossed
    factors; its variance errs on the large side. Draws that hold no pair at all are left out.

    Args:
        values: a figure a pair and model.
        owners: (P,) user of each pair.
        items: (P,) item of each pair.
        samples: S.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    _, users = np.unique(owners, return_inverse=True)
    _, places = np.unique(items, return_inverse=True)
    means = np.empty((samples, values.shape[1]))
    drawn = np.zeros(samples, dtype=np.bool_)
    for sample in range(samples):
        weights = _drawn(users, random) * _drawn(places, random)
        if total := int(weights.sum()):
            means[sample], drawn[sample] = weights @ values / total, True
    return means[drawn]


def _drawn(codes: IntArray, random: np.random.Generator) -> IntArray:
    """How often the owner of each of `codes` comes up in as many draws as there are owners."""
    size = int(codes.max()) + 1
    counts: IntArray = np.bincount(random.integers(0, size, size), minlength=size)
    return counts[codes]


def _mean_figures(seeds: Sequence[IntArray], pairs: Pairs, metric: str) -> Values:
    found: Values = np.mean([pair_figures(item_rows, pairs, metric) for item_rows in seeds], axis=0)
    return found


def _at_level(
    level: int, found: Mapping[str, Mapping[str, Values]], pairs: Pairs, samples: int, seed: int
) -> LevelFigures:
    inside, asked = pairs.levels == level, pairs.at(level)
    names = list(found)
    models: dict[str, dict[str, Interval]] = {name: {} for name in names}
    differences: dict[str, dict[str, Difference]] = {}
    for metric in CURVE_METRICS:
        values = np.stack([found[name][metric][inside] for name in names], axis=1)
        resamples = pigeonhole_means(values, asked.owners, asked.item_rows, samples=samples, seed=seed)
        for place, name in enumerate(names):
            models[name][metric] = interval(values[:, place], resamples[:, place])
        differences[metric] = dict(zip(names[1:], paired_differences(values, resamples), strict=True))
    counts = len(np.unique(asked.item_rows)), len(np.unique(asked.owners))
    return LevelFigures(level, len(asked), *counts, models, differences)
