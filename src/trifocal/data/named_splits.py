"""The splits that results are reported on, by name, for the data sets that they belong to.

```
time           any data set   global by time, 70-15-15
hm-random      hm-week        the published assignment: per user at random (leaky)
hm-time        hm-week        by day: 16-20 | 21 | 22 September; one item of each basket of two or more is hidden
hm-next-day    hm-week        by day; the basket of a user who came before
hm-unseen-1..3 hm-week        hm-random without one product group; its items are ranked among themselves
hm-unseen-1..3-all            the same, its items are ranked among all items
ml100k-time    ml100k-posters 70-15-15 of the ratings in order of time; strangers show half of what they liked
ml1m-loo       ml1m-posters   leave one out: each user's last event is test, the one before validation
cold           any data set   time, of which some items lose all but a few interactions; test asks for those items
hm-cold        hm-week        hm-random, likewise
```

Files that prescribe a split are given by the caller or found under the folder that `TRIFOCAL_DATA` names.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.data.splits import Part, Split, assigned_split, cut_split, make_split, time_split
from trifocal.data.thinning import Thinned, thinned_split
from trifocal.errors import ConfigError, DataError

__all__ = ["COLD_SPLITS", "SPLIT_NAMES", "cold_split", "named_split"]

_ROTATIONS = 3
COLD_SPLITS = {"cold": "time", "hm-cold": "hm-random"}
"""Name of a split with thinned items -> the split that it is made of."""

SPLIT_NAMES = (
    "time",
    "hm-random",
    "hm-time",
    "hm-next-day",
    *(f"hm-unseen-{rotation + 1}{scope}" for rotation in range(_ROTATIONS) for scope in ("", "-all")),
    "ml100k-time",
    "ml1m-loo",
    *COLD_SPLITS,
)

_PARTS_FILES = {"hm-random": "hm-random.parquet", "hm-time": "hm-time-targets.parquet"}
_FIRST_DAY, _LAST_DAY = datetime(2020, 9, 21, tzinfo=UTC), datetime(2020, 9, 22, tzinfo=UTC)
_GROUP = f"{c.ATTRIBUTE_PREFIX}product_group"
_UNSEEN = re.compile(r"hm-unseen-(\d)(-all)?")


def named_split(dataset: Dataset, name: str, parts_file: Path | None = None) -> Split:
    """Return the split called `name`, one of `SPLIT_NAMES`.

    Args:
        dataset: what is split.
        name: as it stands in reports.
        parts_file: the file that prescribes the split, for `hm-random`, `hm-cold`, `hm-unseen-*` (user_id, item_id,
            part) and `hm-time` (user_id, item_id of the hidden items); None = look in the folder that `TRIFOCAL_DATA`
            names.

    Raises:
        ConfigError: when the name is unknown or its file is missing.
        DataError: when the data set is not the one that the split belongs to.
    """
    if name not in SPLIT_NAMES:
        raise ConfigError(f"there is no split {name!r}; choose one of {', '.join(SPLIT_NAMES)}")
    match name:
        case "time":
            return time_split(dataset)
        case "hm-random":
            return assigned_split(dataset, _parts(name, parts_file), name)
        case "hm-time":
            return _hidden_basket(dataset, name, _parts(name, parts_file))
        case "hm-next-day":
            return replace(cut_split(dataset, name, _FIRST_DAY, _LAST_DAY), questions="next-basket")
        case "ml100k-time":
            return _ordered_split(dataset, name)
        case "ml1m-loo":
            return _leave_one_out(dataset, name)
        case "cold" | "hm-cold":
            return cold_split(dataset, name, parts_file).split
    return _unseen(dataset, name, _parts("hm-random", parts_file))


def cold_split(dataset: Dataset, name: str, parts_file: Path | None = None) -> Thinned:
    """Return the split called `name`, one of `COLD_SPLITS`, with the level of each thinned item; see `thinning`.

    Raises:
        ConfigError: when the name is none of them, or the file of its base is missing.
        DataError: when too few items have enough interactions.
    """
    if name not in COLD_SPLITS:
        raise ConfigError(f"split {name!r} has no thinned items; choose one of {', '.join(COLD_SPLITS)}")
    base = named_split(dataset, COLD_SPLITS[name], parts_file)
    return thinned_split(base, dataset.items[c.ITEM_ID].to_list(), name=name)


def _parts(name: str, given: Path | None) -> pl.DataFrame:
    file = _PARTS_FILES[name]
    root = os.environ.get("TRIFOCAL_DATA")
    path = given or (Path(root) / "hm-week" / file if root else None)
    if path is None or not path.is_file():
        raise ConfigError(
            f"split {name} needs its file {file}, {path} is none; name it, or the folder above hm-week in TRIFOCAL_DATA"
        )
    return pl.read_parquet(path)


def _hidden_basket(dataset: Dataset, name: str, targets: pl.DataFrame) -> Split:
    """The hidden items of the test day are prescribed; those of the validation day are drawn in the same way."""
    split = cut_split(dataset, name, _FIRST_DAY, _LAST_DAY)
    listed = targets.select(pl.col(c.USER_ID, c.ITEM_ID).cast(pl.String))
    found = listed.join(split.test, on=[c.USER_ID, c.ITEM_ID], how="semi")
    if found.is_empty():
        raise DataError(f"split {name} hides {listed.height:,} pairs, {dataset.name} has none of them; check the ids")
    hidden: dict[Part, pl.DataFrame] = {"validation": _drawn_from_baskets(split.validation), "test": found}
    note = f"{split.note}; one item of each basket hidden"
    return make_split(
        name,
        split.train,
        split.validation,
        split.test,
        note=note,
        items=split.items,
        questions="basket",
        hidden=hidden,
    )


def _drawn_from_baskets(events: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """One pair of each user with two or more different items, drawn by seed."""
    pairs = events.unique([c.USER_ID, c.ITEM_ID], keep="first", maintain_order=True).sort(c.USER_ID, c.ITEM_ID)
    baskets = pairs.filter(pl.len().over(c.USER_ID) > 1)
    order = np.random.default_rng(seed).permutation(baskets.height)
    return baskets[order].unique(c.USER_ID, keep="first", maintain_order=True).select(c.USER_ID, c.ITEM_ID)


def _ordered_split(dataset: Dataset, name: str) -> Split:
    """Cut by count after a stable sort by time, as the published figures were; equal times may lie on both sides."""
    events = dataset.events.filter(pl.col(c.TIMESTAMP).is_not_null()).sort(c.TIMESTAMP, maintain_order=True)
    if events.height < 3:
        raise DataError(f"split {name} needs 3 events with a time, {dataset.name} has {events.height}; give ml100k")
    first, second = int(0.70 * events.height), int(0.85 * events.height)
    return make_split(
        name,
        events[:first],
        events[first:second],
        events[second:],
        note="global by time, 70-15-15 of the events; who is new shows the first half of what they liked",
        questions="session",
    )


def _leave_one_out(dataset: Dataset, name: str) -> Split:
    """Cut by each user's own order; users with fewer than three events stay in train."""
    left = pl.len().over(c.USER_ID) - 1 - pl.int_range(pl.len()).over(c.USER_ID)
    marked = dataset.events.with_columns(left.alias("left"), pl.len().over(c.USER_ID).alias("size"))
    long = pl.col("size") >= 3
    if not marked.select(long.any()).item():
        raise DataError(f"split {name} needs users with 3 events, {dataset.name} has none; give another data set")
    test, validation = long & (pl.col("left") == 0), long & (pl.col("left") == 1)
    parts = [marked.filter(which).select(dataset.events.columns) for which in (~(test | validation), validation, test)]
    note = "leave one out: a training event may be later than another user's test event; for comparison"
    return make_split(name, *parts, note=note, leaky=True)


def _unseen(dataset: Dataset, name: str, parts: pl.DataFrame) -> Split:
    """`hm-random` of which train and validation lose one product group, and of which test asks for that group alone."""
    found = _UNSEEN.fullmatch(name)
    rotation, everywhere = (int(found[1]), bool(found[2])) if found else (1, False)
    base = assigned_split(dataset, parts, name)
    groups = dataset.items.select(c.ITEM_ID, _GROUP) if _GROUP in dataset.items.columns else pl.DataFrame()
    if groups.is_empty():
        raise DataError(f"split {name} needs the column {_GROUP}, {dataset.name} has none; import hm-week")
    counts = base.test.join(groups, on=c.ITEM_ID).group_by(_GROUP).len().sort("len", _GROUP, descending=[True, False])
    group = counts[_GROUP][rotation - 1]
    inside = set(groups.filter(pl.col(_GROUP) == group)[c.ITEM_ID].to_list())
    held = pl.col(c.ITEM_ID).is_in(inside)
    catalogue = base.catalogue or ()
    split = make_split(
        name,
        base.train.filter(~held),
        base.validation.filter(~held),
        base.test.filter(held),
        note=f"hm-random without {group!r} in train, validation and histories; test asks for it "
        + ("among all items" if everywhere else "within the group"),
        leaky=True,
        items=catalogue if everywhere else tuple(item for item in catalogue if item in inside),
        questions="next-basket",
    )
    seen = tuple(item for item in catalogue if item not in inside)
    return replace(split, catalogue=base.catalogue, validation_items=seen)
