"""Where does a model win? The figures of classes of users and of target items, n beside each (PROTOCOL.md, 9).

A slice of users takes their figures as they are. A slice of items counts only targets of its class, and only the users
who have one: `recall` is then hits of the class / targets of the class. It is computed from the lists of the first 20
places, which for a model of several training seeds are those of the first seed.

Letters: U users, N items, K = 20 places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.data.cases import Cases
from trifocal.errors import DataError
from trifocal.evaluate.facts import ItemFacts
from trifocal.evaluate.metrics import METRICS, hit_matrix
from trifocal.evaluate.protocol import KEPT, Result
from trifocal.types import BoolArray, IntArray

__all__ = ["GROUPS", "LENGTH_BUCKETS", "Slice", "Targets", "history_slices", "item_slices"]

# First and last length of each bucket; None = no end.
LENGTH_BUCKETS: tuple[tuple[int, int | None], ...] = ((0, 0), (1, 2), (3, 5), (6, 10), (11, None))
GROUPS = ("history", "warmth", "popularity", "category", "content")
"""What slices are cut by, in the order of the report."""

_CATEGORIES = 12


@dataclass(frozen=True)
class Slice:
    """A class of users, or of target items.

    Attributes:
        group: what is cut by, one of `GROUPS`.
        label: the class, as in "3–5".
        users: n.
        means: one mean a result, in their order.
    """

    group: str
    label: str
    users: int
    means: tuple[float, ...]


def history_slices(results: Sequence[Result], cases: Cases, metric: str) -> list[Slice]:
    """Return the mean of `metric` by history length, for every bucket that holds a user."""
    lengths = _history_lengths(cases)
    found = []
    for first, last in LENGTH_BUCKETS:
        inside = (lengths >= first) & (lengths <= (np.iinfo(np.int64).max if last is None else last))
        if inside.any():
            means = tuple(float(result.metrics[metric][inside].mean()) for result in results)
            found.append(Slice("history", _range_label(first, last), int(inside.sum()), means))
    return found


def item_slices(
    results: Sequence[Result], cases: Cases, facts: ItemFacts, metrics: Sequence[str]
) -> dict[str, list[Slice]]:
    """Return for each of `metrics` the slices by class of target, for every class that is a target of a user.

    Args:
        results: on the `cases`.
        cases: who was asked.
        facts: of the items.
        metrics: names of metrics.

    Raises:
        DataError: when a metric looks beyond the 20 places that are kept.
    """
    for metric in metrics:
        if (METRICS[metric][1] or KEPT + 1) > KEPT:
            raise DataError(
                f"{metric} cannot be sliced by item: {KEPT} places are kept; choose a metric of at most those"
            )
    targets = Targets.of(results, cases)
    found: dict[str, list[Slice]] = {metric: [] for metric in metrics}
    for group, label, users, items in _classes(cases, facts, targets):
        inside, relevant = targets.within(items, users)
        if inside.any():
            for metric in metrics:
                means = targets.means(metric, items, inside, relevant)
                found[metric].append(Slice(group, label, int(inside.sum()), means))
    return found


@dataclass(frozen=True)
class Targets:
    """Hits and targets of U users, laid out so that a class of items is a mask.

    Attributes:
        owners: the user of each distinct target.
        rows: its item row.
        users: U.
        lists: for each result (U, K) item rows, -1 where a list is short.
        hits: for each result (U, K).
    """

    owners: IntArray
    rows: IntArray
    users: int
    lists: tuple[IntArray, ...]
    hits: tuple[BoolArray, ...]

    @classmethod
    def of(cls, results: Sequence[Result], cases: Cases) -> Targets:
        """Return the targets of `cases` with what each of `results` hit of them."""
        distinct = [np.unique(truth) for truth in cases.truths]
        owners = np.repeat(np.arange(len(cases)), [len(rows) for rows in distinct])
        lists = tuple(result.item_rows[:, :KEPT] for result in results)
        hits = tuple(hit_matrix(rows, cases.truths)[0] for rows in lists)
        return cls(owners, np.concatenate(distinct), len(cases), lists, hits)

    def within(self, items: BoolArray, users: BoolArray) -> tuple[BoolArray, IntArray]:
        """Return which of the `users` (U,) have a target among `items` (N,), and how many each user has (U,)."""
        relevant = np.bincount(self.owners[items[self.rows]], minlength=self.users).astype(np.int64)
        return users & (relevant > 0), relevant

    def means(self, metric: str, items: BoolArray, inside: BoolArray, relevant: IntArray) -> tuple[float, ...]:
        """Return the mean of `metric` of each result over the users `inside`, counting only targets among `items`."""
        function, k = METRICS[metric][0], METRICS[metric][1] or KEPT
        return tuple(
            float(function(hit[inside] & items[rows[inside]], relevant[inside], k).mean())
            for rows, hit in zip(self.lists, self.hits, strict=True)
        )


_Class = tuple[str, str, BoolArray, BoolArray]


def _classes(cases: Cases, facts: ItemFacts, targets: Targets) -> Iterator[_Class]:
    """Group, label, users (U,) and items (N,) of each class."""
    everybody = np.ones(len(cases), dtype=np.bool_)
    yield from _warmth(cases, facts)
    for label, items in _popularity(facts.train_counts, targets.rows):
        yield "popularity", label, everybody, items
    for label, items in _categories(facts.categories, targets):
        yield "category", label, everybody, items
    lacks = {"text missing": ~facts.has_text, "picture missing": ~facts.has_image}
    if any(items[targets.rows].any() for items in lacks.values()):
        for label, items in {**lacks, "both there": facts.has_text & facts.has_image}.items():
            yield "content", label, everybody, items


def _warmth(cases: Cases, facts: ItemFacts) -> Iterator[_Class]:
    known, trained = _history_lengths(cases) > 0, facts.train_counts > 0
    for user, users in (("warm", known), ("cold", ~known)):
        for item, items in (("warm", trained), ("cold", ~trained)):
            yield "warmth", f"{user} user, {item} item", users, items


def _popularity(counts: IntArray, rows: IntArray) -> list[tuple[str, BoolArray]]:
    """Classes that hold about a third of the targets `rows` each; items of one count stay together."""
    low, high = (int(cut) for cut in np.quantile(counts[rows], (1 / 3, 2 / 3), method="lower"))
    names = (("rare", 0, low), ("middle", low + 1, high), ("popular", high + 1, None))
    return [
        (
            f"{name} ({_range_label(first, last)} users)",
            (counts >= first) & (counts <= (counts.max() if last is None else last)),
        )
        for name, first, last in names
        if last is None or first <= last
    ]


def _categories(categories: Sequence[str], targets: Targets) -> list[tuple[str, BoolArray]]:
    """The categories that most users have a target in, the greatest first; the unnamed one is none."""
    names, codes = np.unique(np.array(categories, dtype=np.str_), return_inverse=True)
    pairs = np.unique(np.stack([targets.owners, codes[targets.rows]]), axis=1)
    counted = Counter({code: n for code, n in enumerate(np.bincount(pairs[1]).tolist()) if n and names[code]})
    return [(str(names[code]), codes == code) for code, _ in counted.most_common(_CATEGORIES)]


def _history_lengths(cases: Cases) -> IntArray:
    return np.array([len(request.history) for request in cases.requests], dtype=np.int64)


def _range_label(first: int, last: int | None) -> str:
    if last is None:
        return f"{first}+"
    return str(first) if first == last else f"{first}–{last}"
