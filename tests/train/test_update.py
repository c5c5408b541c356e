"""A bundle learns on: on known and new items, from what is not held out, and nothing of forgotten users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.train.small_world import DAYS, OLD_ITEMS, START, TRAIN, trained, without_weights, world

from trifocal import columns as c
from trifocal.bundle import Bundle, read_bundle, write_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.joined import without_forgotten
from trifocal.errors import ArtifactError, DataError
from trifocal.train.update import (
    Update,
    Updated,
    judged_split,
    learned_until,
    learning_on,
    served_recommender,
    train_update,
    update_split,
    updated_contents,
)
from trifocal.train.update_config import UpdateConfig
from trifocal.types import Request

CONFIG = UpdateConfig(held_out_days=3, ranker_questions=40)


@pytest.fixture(scope="module")
def patched() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        without_weights(patch)
        yield


@pytest.fixture(scope="module")
def old(patched: None, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return trained(tmp_path_factory.mktemp("old"), world(days=28))


@pytest.fixture(scope="module")
def done(old: Bundle, tmp_path_factory: pytest.TempPathFactory) -> tuple[Update, Updated, Bundle]:
    folder = tmp_path_factory.mktemp("update")
    update = Update(old, world(), TRAIN, CONFIG, folder / "checkpoints", folder / "features")
    updated = train_update(update, update_split(update.dataset, old, CONFIG))
    write_bundle(updated_contents(updated, update, validation=0.5), folder / "bundle")
    return update, updated, read_bundle(folder / "bundle")


def test_the_bundle_says_up_to_when_it_has_learned(old: Bundle) -> None:
    # The last three of 28 days chose the epoch.
    assert timedelta(days=24) < learned_until(old) - START < timedelta(days=25, hours=1)


def test_the_newest_days_are_held_out_and_new_to_both(old: Bundle) -> None:
    split = update_split(world(), old, CONFIG)
    newest = world().events[c.TIMESTAMP].to_list()[-1]
    assert split.validation[c.TIMESTAMP].to_list()[0] >= newest - timedelta(days=3)
    assert split.train[c.TIMESTAMP].to_list()[-1] < newest - timedelta(days=3)
    assert split.test.is_empty()
    long = update_split(world(), old, CONFIG.model_copy(update={"held_out_days": 100}))
    assert long.validation[c.TIMESTAMP].to_list()[0] > learned_until(old)


def test_nothing_new_is_said(old: Bundle) -> None:
    with pytest.raises(DataError, match=r"has learned up to 2026-01-2\d .*; give newer events"):
        update_split(world(days=20), old, CONFIG)


def test_a_bundle_without_times_is_refused(old: Bundle) -> None:
    contents = old.contents
    untimed = contents.histories.with_columns(pl.lit(None, contents.histories.schema[c.TIMESTAMP]).alias(c.TIMESTAMP))
    metrics = {name: value for name, value in contents.metrics.items() if name != "learned_until_s"}
    with pytest.raises(ArtifactError, match="knows no event with a time"):
        learned_until(replace(old, contents=replace(contents, histories=untimed, metrics=metrics)))


def test_an_earlier_bundle_is_taken_by_its_newest_history(old: Bundle) -> None:
    metrics = {name: value for name, value in old.contents.metrics.items() if name != "learned_until_s"}
    earlier = replace(old, contents=replace(old.contents, metrics=metrics))
    assert learned_until(earlier) == world(days=28).events[c.TIMESTAMP].to_list()[-1]


def test_new_items_are_recommended_and_the_bundle_is_whole(done: tuple[Update, Updated, Bundle]) -> None:
    _, updated, bundle = done
    assert bundle.contents.items.height == updated.dataset.items.height == OLD_ITEMS + 2
    ranked = load_recommender(bundle).recommend([Request()], OLD_ITEMS + 2).item_rows
    assert sorted(ranked[0].tolist()) == list(range(OLD_ITEMS + 2))
    assert bundle.contents.metrics["updated_from"] == done[0].bundle.manifest.model_version
    assert learned_until(bundle) == world().events[c.TIMESTAMP].to_list()[-1]


def test_towers_learn_up_to_the_slice_and_counts_to_the_end(done: tuple[Update, Updated, Bundle]) -> None:
    update, updated, bundle = done
    assert updated.data.counts.sum() == updated.split.train.height
    assert bundle.contents.popularity.sum() == update.dataset.events.height
    np.testing.assert_array_equal(bundle.contents.item_vectors, updated.trained.recommender.item_vectors)


def test_the_same_update_twice_is_the_same(done: tuple[Update, Updated, Bundle], tmp_path: Path) -> None:
    update, updated, _ = done
    again = train_update(replace(update, folder=tmp_path), updated.split)
    np.testing.assert_allclose(again.trained.knowledge.vectors, updated.trained.knowledge.vectors, atol=1e-6)


def test_an_update_starts_where_the_bundle_ended(done: tuple[Update, Updated, Bundle], tmp_path: Path) -> None:
    update, updated, _ = done
    still = replace(update, folder=tmp_path, config=CONFIG.model_copy(update={"rate": 1e-9, "ranker_questions": 0}))
    kept = train_update(still, updated.split).trained
    before = served_recommender(update.bundle)
    towers = kept.model.state_dict(), before.model.state_dict()
    np.testing.assert_allclose(
        towers[0]["user_tower.out.weight"].numpy(), towers[1]["user_tower.out.weight"].numpy(), atol=1e-5
    )
    assert kept.blend == before.blend


def test_what_a_forgotten_user_did_is_neither_learned_nor_in_the_bundle(old: Bundle, tmp_path: Path) -> None:
    end_s = (START + timedelta(days=DAYS)).timestamp()
    whole = world()
    dataset = replace(whole, events=without_forgotten(whole.events, {"u01": end_s}))
    update = Update(old, dataset, TRAIN, CONFIG, tmp_path / "checkpoints", tmp_path / "features")
    updated = train_update(update, update_split(dataset, old, CONFIG))
    contents = updated_contents(updated, update, validation=0.5)
    assert "u01" in old.contents.histories[c.USER_ID]
    assert "u01" not in updated.data.histories
    assert "u01" not in contents.histories[c.USER_ID]
    gone = whole.events.filter(pl.col(c.USER_ID) == "u01").height
    assert contents.popularity.sum() == whole.events.height - gone


def test_an_update_takes_smaller_steps_and_fewer_passes() -> None:
    config = learning_on(TRAIN, UpdateConfig(epochs=3, rate=0.5, ranker_questions=7, ranker_epochs=2))
    assert (config.epochs, config.patience, config.align_epochs) == (3, 3, 0)
    assert config.learning_rate == 0.5 * TRAIN.learning_rate
    assert config.second_stage.learning_rate == 0.5 * TRAIN.second_stage.learning_rate
    assert (config.second_stage.epochs, config.second_stage.max_questions) == (2, 7)
    assert learning_on(TRAIN, UpdateConfig(ranker_questions=0)).second_stage.epochs == 0


def test_what_a_recommendation_led_to_judges_no_bundle(old: Bundle, tmp_path: Path) -> None:
    update = Update(old, world(), TRAIN, CONFIG, tmp_path / "checkpoints", tmp_path / "features")
    split = update_split(update.dataset, old, CONFIG)
    assert judged_split(update, split) is split, "without a store nothing is known of recommendations"
    keys = split.validation.select(c.USER_ID, c.ITEM_ID, c.TIMESTAMP)
    some = replace(update, recommended=keys.head(5))
    left = judged_split(some, split)
    assert len(left.validation) == len(split.validation) - keys.head(5).unique().height
    assert left.train.equals(split.train)
    every = replace(update, recommended=keys)
    with pytest.raises(DataError, match=r"all .* events of the newest 3 days came of recommendations"):
        judged_split(every, split)
    counted = replace(every, config=CONFIG.model_copy(update={"count_recommended": True}))
    assert judged_split(counted, split) is split
