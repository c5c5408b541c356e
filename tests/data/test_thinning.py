from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.data.cases import build_cases
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.histories import positives
from trifocal.data.splits import Split, make_split
from trifocal.data.thinning import Thinned, assign_levels, choose_levels, thinned_split
from trifocal.errors import DataError
from trifocal.features.context import ContextVocabulary
from trifocal.types import Vocabulary

ITEMS = tuple(f"i{number}" for number in range(12))
POPULAR = ITEMS[:8]
LEVELS = (0, 1, 4)


def events(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "event"], orient="row")
    times = [start + timedelta(minutes=minute) for minute in range(len(rows))]
    return conform(frame.with_columns(pl.Series("timestamp", times, dtype=pl.Datetime("us", "UTC"))), EVENT_SCHEMA)


def split() -> Split:
    """Six users click each of eight items twice and are shown them; four more items have one user each."""
    rows = [
        (f"u{user}", item, kind) for user in range(6) for item in POPULAR for kind in ("impression", "click", "cart")
    ]
    rows += [(f"u{place}", item, "click") for place, item in enumerate(ITEMS[8:])]
    # v sees an item of train again, w does not.
    late = [("w", item, "click") for item in ITEMS]
    later = [("v", item, "click") for item in ITEMS] + [("u0", item, "click") for item in ITEMS] + late
    return make_split("toy", events(rows), events(late[:6]), events(later), note="made up")


def thinned(seed: int = 0) -> Thinned:
    return thinned_split(split(), ITEMS, name="cold", levels=LEVELS, seed=seed, share=1.0, items_a_level=2)


def users_of(frame: pl.DataFrame) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for user, item in frame.select("user_id", "item_id").iter_rows():
        found.setdefault(item, set()).add(user)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_an_item_keeps_the_events_of_as_many_users_as_its_level_says(seed: int) -> None:
    made = thinned(seed)
    assert Counter(made.levels.values()) == {0: 2, 1: 2, 4: 2}
    assert set(made.levels) < set(POPULAR)
    left = users_of(made.split.train)
    for item, level in made.levels.items():
        assert len(left.get(item, set())) == level
    # Who is left keeps everything done with the item, the impression too.
    kept = made.split.train.filter(pl.col("item_id").is_in(list(made.levels)))
    assert kept.group_by("user_id", "item_id").len()["len"].unique().to_list() == [3]


def test_what_is_not_thinned_stays_as_it_was_and_in_its_order() -> None:
    made, base = thinned(), split()
    others = ~pl.col("item_id").is_in(list(made.levels))
    assert made.split.train.filter(others).equals(base.train.filter(others))
    assert made.split.validation.equals(base.validation.filter(others))
    assert made.split.train["timestamp"].is_sorted()
    assert made.split.train.columns == base.train.columns


def test_test_asks_for_thinned_items_alone_and_not_of_who_had_them() -> None:
    made = thinned()
    asked = users_of(made.split.test)
    assert set(asked) == set(made.levels)
    # u0 had every popular item in train, w the first six of all in validation: thinning must not make those new.
    for item, users in asked.items():
        assert users == ({"v"} if item in ITEMS[:6] else {"v", "w"})


def test_histories_at_test_time_hold_no_event_that_was_taken_out() -> None:
    made = thinned()
    vocabulary = Vocabulary.of(ITEMS)
    cases = build_cases(made.split, "test", vocabulary, ContextVocabulary.fit([], []))
    allowed = users_of(positives(made.split.train))
    for user, request in zip(cases.user_ids, cases.requests, strict=True):
        shown = {ITEMS[row] for row in request.history.item_rows} & set(made.levels)
        assert shown == {item for item in made.levels if user in allowed.get(item, set())}
    assert made.split.before("test").height == made.split.train.height + made.split.validation.height


def test_validation_neither_asks_for_a_thinned_item_nor_ranks_it() -> None:
    made = thinned()
    assert set(made.split.candidates("validation") or ()) == set(ITEMS) - set(made.levels)
    assert made.split.candidates("test") is None
    assert not set(made.split.validation["item_id"]) & set(made.levels)


def test_the_draw_is_decided_by_its_seed_and_tells_itself_in_the_note() -> None:
    first, again, other = thinned(0), thinned(0), thinned(1)
    assert first.levels == again.levels
    assert first.split.fingerprint == again.split.fingerprint
    assert first.split.train.equals(again.split.train)
    assert first.split.fingerprint != other.split.fingerprint
    assert "6 items with at least 4 interactions in training thinned to 0, 1, 4, 2 items a level" in first.split.note
    # Of 148 events, six users' three on each of two items at level 0, 1 and 4 each: 2 * (18 + 15 + 6) are gone.
    assert "of 6 to 6 interactions in the median before; 52.7% of the training events taken out" in first.split.note


def test_levels_are_given_up_from_the_greatest_where_items_are_too_few() -> None:
    counts = np.array([100] * 30 + [12] * 30 + [1] * 10)
    assert choose_levels(counts, (0, 1, 10, 50), 8) == (0, 1, 10)
    assert choose_levels(counts, (0, 1, 10, 50), 7) == (0, 1, 10, 50)
    with pytest.raises(DataError, match="70 items have an interaction in training, 71 are needed for a level"):
        choose_levels(counts, (0, 1), 71)


def test_no_more_than_the_share_of_all_interactions_is_touched() -> None:
    counts = np.full(100, 10)
    assigned = assign_levels(counts, (0, 1, 10), np.random.default_rng(0), share=0.25)
    # 25 items hold a quarter; three levels take 24 of them.
    assert np.bincount(assigned + 1).tolist()[:3] == [76, 8, 8]
    with pytest.raises(DataError, match="100 items have 10 interactions, 2 hold at most 2% of all; 3 are needed"):
        assign_levels(counts, (0, 1, 10), np.random.default_rng(0), share=0.02)


@given(st.lists(st.integers(0, 400), min_size=30, max_size=80), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_levels_are_equally_many_and_next_to_equally_popular(numbers: list[int], seed: int) -> None:
    counts = np.array([50, 51, 52, *numbers])
    assigned = assign_levels(counts, (0, 5, 50), np.random.default_rng(seed))
    ranked = [np.sort(counts[assigned == level]) for level in (0, 5, 50)]
    assert len({len(popularity) for popularity in ranked}) == 1
    assert min(popularity.min() for popularity in ranked) >= 50
    # One item of each block of three neighbours in popularity: the b-th of a level is at most the (b+1)-th of another.
    for one in ranked:
        for other in ranked:
            assert (one[:-1] <= other[1:]).all()
