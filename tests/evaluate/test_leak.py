"""Events after the cut change no score before it; a leak that is planted is found."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from tests.evaluate.small_contest import CONTEXT, small_content, small_dataset

from trifocal.baselines.popularity import PopularityRecommender
from trifocal.data.dataset import Dataset
from trifocal.data.histories import interaction_matrix
from trifocal.data.splits import Split, time_split
from trifocal.errors import DataError
from trifocal.evaluate.contestants import CONTESTANTS, Contestant
from trifocal.evaluate.known import known_of
from trifocal.evaluate.leak import dealt_anew, leaked_places
from trifocal.ports import Recommender

_MADE_OF = {c.name: c.first or {} for c in CONTESTANTS}


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda c: c.name)
def test_no_baseline_learns_from_what_comes_later(contestant: Contestant) -> None:
    def fit(dataset: Dataset, split: Split) -> Recommender:
        known = known_of(split.train, dataset.vocabulary(), CONTEXT, small_content())
        return contestant.fit(contestant.first or {}, replace(known, settings=_MADE_OF), 0)

    assert leaked_places(fit, small_dataset(), time_split) == 0


def test_a_planted_leak_is_found() -> None:
    def peeking(dataset: Dataset, _: Split) -> Recommender:
        # Popularity of the whole log, later events included: the commonest leak of all.
        matrix, _users = interaction_matrix(dataset.events, dataset.vocabulary())
        return PopularityRecommender.fit(matrix)

    assert leaked_places(peeking, small_dataset(), time_split) > 0


def test_only_the_items_of_later_events_are_dealt_anew() -> None:
    dataset = small_dataset()
    moment = time_split(dataset).validation["timestamp"][0]
    changed = dealt_anew(dataset, moment)
    later = pl.col("timestamp") >= moment
    assert changed.events.filter(~later).equals(dataset.events.filter(~later))
    before, after = dataset.events.filter(later), changed.events.filter(later)
    assert before.drop("item_id").equals(after.drop("item_id"))
    assert before["item_id"].to_list() != after["item_id"].to_list()
    assert before["item_id"].sort().equals(after["item_id"].sort())


def test_a_check_that_could_see_nothing_is_refused() -> None:
    dataset = small_dataset()
    single = replace(dataset, events=dataset.events.with_columns(pl.lit("i0").alias("item_id")))
    with pytest.raises(DataError, match="anew changes none of them; give more items"):
        leaked_places(
            lambda *_: PopularityRecommender.fit(interaction_matrix(single.events, single.vocabulary())[0]),
            single,
            time_split,
        )
