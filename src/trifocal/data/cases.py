"""Split -> the questions of an evaluation: who asks, with what history, in what context, and what they went on to take.

```
validation   known = train                asked about = validation
test         known = train + validation   asked about = test

questions     history                                  truth
future        known                                    new items in the part
next-basket   known, never empty                       new items in the part
basket        known + the basket without its           the hidden item, even where it was taken before the part
              hidden item
session       known; of who has none: the first half   new items in the part; of who has none: the second half
              of what they liked in the part
```
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.histories import positives, user_histories
from trifocal.data.splits import Part, Split
from trifocal.errors import DataError
from trifocal.features.context import ContextVocabulary
from trifocal.types import Context, History, IntArray, Request, UserId, Vocabulary

__all__ = ["Cases", "build_cases"]


@dataclass(frozen=True)
class Cases:
    """B questions with their answers; entry b of each field is about the same user. Stability: caller.

    Attributes:
        user_ids: ids of the outside world, sorted.
        requests: history, context and excluded items of each user.
        truths: for each user the distinct item rows they went on to take, in the order of taking; never empty.
    """

    user_ids: tuple[UserId, ...]
    requests: tuple[Request, ...]
    truths: tuple[IntArray, ...]

    def __len__(self) -> int:
        return len(self.user_ids)

    def sample(self, size: int, seed: int = 0) -> Cases:
        """Return `size` cases drawn at random without repeats, in their order; all where there are fewer."""
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self))[:size])
        return Cases(
            tuple(self.user_ids[row] for row in chosen),
            tuple(self.requests[row] for row in chosen),
            tuple(self.truths[row] for row in chosen),
        )


def build_cases(
    split: Split,
    part: Part,
    vocabulary: Vocabulary,
    context: ContextVocabulary,
    *,
    exclude_seen: bool = True,
    min_rating: float = 4.0,
) -> Cases:
    """Return a case for each user with a positive event in `part` that is a candidate and, by default, new to them.

    Time, device and country of a request are those of the user's first event in the part. Users without a history
    stay in, with an empty one.

    Args:
        split: the parts; `split.items` says what may be recommended.
        part: `validation` or `test`.
        vocabulary: the items, as the recommender knows them.
        context: codes of devices and countries.
        exclude_seen: leave what is in the history out of truth and rankings.
        min_rating: see `positives`.

    Raises:
        DataError: when no user is left.
    """
    events = split.validation if part == "validation" else split.test
    known, asked = _known_and_asked(split, part, min_rating)
    taken = user_histories(asked, vocabulary, context, min_rating=min_rating)
    asking = pl.DataFrame({c.USER_ID: list(taken)}, schema={c.USER_ID: pl.String()})
    known = known.join(asking, on=c.USER_ID, how="semi", maintain_order="left")
    histories = user_histories(known, vocabulary, context, min_rating=min_rating)
    contexts = _contexts(events, context)
    barred = _non_candidates(split.candidates(part), vocabulary)
    rows: list[tuple[UserId, Request, IntArray]] = []
    for user in sorted(taken):
        history = histories.get(user, History())
        seen = np.unique(history.item_rows) if exclude_seen else history.item_rows[:0]
        if split.questions == "basket":
            # The hidden item was drawn from the whole basket, so one taken on an earlier day can be it.
            seen = np.setdiff1d(seen, taken[user].item_rows)
        exclude = np.union1d(seen, barred) if len(barred) else seen
        truth = _truth(taken[user].item_rows, exclude)
        if len(truth) and (len(history) or split.questions != "next-basket"):
            rows.append((user, Request(history, contexts[user], exclude, user), truth))
    if not rows:
        count = positives(events, min_rating).height
        raise DataError(
            f"no user can be asked about {part}: it has {count:,} positive events, none of a new candidate item; "
            "use more events or another split"
        )
    users, requests, truths = zip(*rows, strict=True)
    return Cases(users, requests, truths)


def _known_and_asked(split: Split, part: Part, min_rating: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    before, events = split.before(part), split.validation if part == "validation" else split.test
    pair = [c.USER_ID, c.ITEM_ID]
    match split.questions:
        case "basket":
            hidden = split.hidden[part]
            asked = events.join(hidden, on=pair, how="semi", maintain_order="left")
            shown = events.join(hidden, on=pair, how="anti", maintain_order="left")
            return pl.concat([before, shown]), asked
        case "session":
            liked = positives(events, min_rating)
            strange = ~pl.col(c.USER_ID).is_in(positives(before, min_rating)[c.USER_ID].unique().to_list())
            first_half = pl.int_range(pl.len()).over(c.USER_ID) < pl.len().over(c.USER_ID) // 2
            return pl.concat([before, liked.filter(strange & first_half)]), liked.filter(~(strange & first_half))
        case _:
            return before, events


def _truth(item_rows: IntArray, exclude: IntArray) -> IntArray:
    distinct, first = np.unique(item_rows, return_index=True)
    in_order = distinct[np.argsort(first)]
    return in_order[~np.isin(in_order, exclude)]


def _non_candidates(candidates: tuple[str, ...] | None, vocabulary: Vocabulary) -> IntArray:
    if candidates is None:
        return np.zeros(0, dtype=np.int64)
    return np.setdiff1d(np.arange(len(vocabulary)), vocabulary.rows(candidates))


def _contexts(events: pl.DataFrame, context: ContextVocabulary) -> dict[str, Context]:
    first = events.unique(c.USER_ID, keep="first", maintain_order=True).with_columns(
        pl.col(c.TIMESTAMP).dt.epoch("s").fill_null(0)
    )
    columns = first.select(c.USER_ID, c.TIMESTAMP, c.DEVICE, c.COUNTRY)
    return {
        user: Context(time, context.device_code(device), context.country_code(country))
        for user, time, device, country in columns.iter_rows()
    }
