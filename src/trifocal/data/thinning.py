"""Split -> the same split in which chosen items lose all but a few of their interactions: new items, made by chance.

An experiment, not an observation: which items are thinned, and to what level, is drawn by seed, so that the levels hold
items of equal popularity and differ in what is left of them alone.

```
train        of a thinned item: the events of `level` users, drawn at random; all else of it goes, impressions too
validation   without the thinned items, as truth and as candidates: choosing settings neither rewards nor punishes them
histories    train + validation as above: nobody is shown an event that was taken out
test         thinned items alone are asked for; not of those who had taken the item before it was thinned
```

An interaction is a user with a positive event: what a user did twice with an item counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.histories import positives
from trifocal.data.splits import Split, make_split
from trifocal.errors import DataError
from trifocal.types import IntArray

__all__ = ["LEVELS", "Thinned", "assign_levels", "choose_levels", "thinned_split"]

LEVELS = (0, 1, 2, 5, 10, 50)

# Where fewer items can be thinned to every level, the greatest levels are given up until so many can.
_ITEMS_A_LEVEL = 10
# Of the training interactions, at most so many belong to items that are thinned: the rest must stay the same shop.
_SHARE = 0.25
_LEVEL, _COUNT, _RANK = "level", "interactions", "rank"


@dataclass(frozen=True)
class Thinned:
    """A split with thinned items. Stability: caller.

    Attributes:
        split: its test asks for thinned items alone.
        levels: item id -> the interactions that are left of it in training and in histories.
    """

    split: Split
    levels: Mapping[str, int]


def thinned_split(
    split: Split,
    item_ids: Sequence[str],
    *,
    name: str,
    levels: Sequence[int] = LEVELS,
    seed: int = 0,
    share: float = _SHARE,
    items_a_level: int = _ITEMS_A_LEVEL,
) -> Thinned:
    """Return `split` with items thinned to `levels`, as many to each, equally popular before.

    Args:
        split: whose items are thinned.
        item_ids: every item of the data set.
        name: of the new split.
        levels: interactions that are left, rising.
        seed: of the draw of items, of their levels, and of the users that are left.
        share: of the training interactions, 0..1, that may belong to thinned items.
        items_a_level: least number of items a level; see `choose_levels`.

    Raises:
        DataError: when too few items have enough interactions.
    """
    candidates = split.items or split.catalogue or tuple(item_ids)
    counts = _interactions(split.train.filter(pl.col(c.ITEM_ID).is_in(candidates)))
    numbers = counts[_COUNT].to_numpy().astype(np.int64)
    chosen = choose_levels(numbers, levels, items_a_level)
    random = np.random.default_rng(seed)
    assigned = assign_levels(numbers, chosen, random, share=share)
    thinned = counts.with_columns(pl.Series(_LEVEL, assigned)).filter(pl.col(_LEVEL) >= 0)
    inside = pl.col(c.ITEM_ID).is_in(thinned[c.ITEM_ID].to_list())
    parts = (
        _thinned_events(split.train, thinned, random),
        split.validation.filter(~inside),
        split.test.filter(inside).join(
            positives(split.before("test")), on=[c.USER_ID, c.ITEM_ID], how="anti", maintain_order="left"
        ),
    )
    note = f"{split.note}; {_note(thinned, chosen, split.train, parts[0], seed)}".removeprefix("; ")
    made = make_split(name, *parts, note=note, items=split.items, leaky=split.leaky, questions=split.questions)
    kept = set(thinned[c.ITEM_ID])
    others = tuple(item for item in candidates if item not in kept)
    ids, left = thinned[c.ITEM_ID].to_list(), thinned[_LEVEL].to_list()
    made = replace(made, catalogue=split.catalogue, validation_items=others)
    return Thinned(made, dict(zip(ids, left, strict=True)))


def choose_levels(counts: IntArray, levels: Sequence[int], items_a_level: int) -> tuple[int, ...]:
    """Return as many of `levels`, from the least, as `items_a_level` items each can be thinned to.

    Every item that takes part must have the interactions of the greatest level, whatever level it is given.

    Three items with 50 or more do not fill two levels with two items each; of the five with 1 or more, four do.

    >>> choose_levels(np.array([60, 55, 50, 3, 1]), (0, 50), 2), choose_levels(np.array([60, 55, 50, 3, 1]), (0, 1), 2)
    ((0,), (0, 1))

    Args:
        counts: interactions of each item.
        levels: rising.
        items_a_level: least number of items.

    Raises:
        DataError: when not even the least level has so many.
    """
    for size in range(len(levels), 0, -1):
        least = max(levels[size - 1], 1)
        if (counts >= least).sum() >= size * items_a_level:
            return tuple(levels[:size])
    raise DataError(
        f"{int((counts > 0).sum()):,} items have an interaction in training, {items_a_level} are needed for a level; "
        "use more events"
    )


def assign_levels(
    counts: IntArray, levels: Sequence[int], random: np.random.Generator, *, share: float = 1.0
) -> IntArray:
    """Return the level of each item, -1 = it is left as it is; the levels have equally many items, equally popular.

    Items with the interactions of the greatest level take part, drawn at random up to `share` of all interactions.
    Sorted by popularity, each block of as many items as there are levels is dealt one item a level.

    Args:
        counts: interactions of each item.
        levels: rising.
        random: draws items and levels.
        share: of all interactions, 0..1, that may belong to items that take part.

    Raises:
        DataError: when no whole block of items fits into `share`.
    """
    eligible = random.permutation(np.flatnonzero(counts >= max(levels[-1], 1)))
    fitting = int((np.cumsum(counts[eligible]) <= share * counts.sum()).sum())
    blocks = min(fitting, len(eligible)) // len(levels)
    if not blocks:
        raise DataError(
            f"{len(eligible):,} items have {levels[-1]} interactions, {fitting} hold at most {share:.0%} of all; "
            f"{len(levels)} are needed, one a level: use more events or fewer levels"
        )
    drawn = eligible[: blocks * len(levels)]
    by_popularity = drawn[np.argsort(counts[drawn], kind="stable")].reshape(blocks, len(levels))
    assigned = np.full(len(counts), -1, dtype=np.int64)
    assigned[by_popularity] = random.permuted(np.tile(levels, (blocks, 1)), axis=1)
    return assigned


def _interactions(events: pl.DataFrame) -> pl.DataFrame:
    """Users with a positive event, of each item, in the order of the ids."""
    return positives(events).group_by(c.ITEM_ID).agg(pl.col(c.USER_ID).n_unique().alias(_COUNT)).sort(c.ITEM_ID)


def _thinned_events(events: pl.DataFrame, thinned: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Of each thinned item, the events of as many users as its level says."""
    pair = [c.USER_ID, c.ITEM_ID]
    pairs = positives(events).select(pair).unique().join(thinned.select(c.ITEM_ID, _LEVEL), on=c.ITEM_ID).sort(pair)
    shuffled = pairs[random.permutation(pairs.height)].with_columns(pl.int_range(pl.len()).over(c.ITEM_ID).alias(_RANK))
    removed = thinned.select(c.ITEM_ID).join(events.select(pair).unique(), on=c.ITEM_ID)
    removed = removed.join(shuffled.filter(pl.col(_RANK) < pl.col(_LEVEL)), on=pair, how="anti")
    return events.join(removed, on=pair, how="anti", maintain_order="left")


def _note(thinned: pl.DataFrame, levels: Sequence[int], before: pl.DataFrame, after: pl.DataFrame, seed: int) -> str:
    medians = thinned.group_by(_LEVEL).agg(pl.col(_COUNT).median()).sort(_LEVEL)[_COUNT].to_list()
    return (
        f"{thinned.height:,} items with at least {max(levels[-1], 1)} interactions in training thinned to "
        f"{', '.join(map(str, levels))}, {thinned.height // len(levels)} items a level, of "
        f"{min(medians):g} to {max(medians):g} interactions in the median before; "
        f"{1 - after.height / before.height:.1%} of the training events taken out (seed {seed})"
    )
