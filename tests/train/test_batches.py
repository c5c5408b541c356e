from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.model.small_model import SMALL
from tests.train.judged_circle import judged_circle
from tests.train.test_training import CONFIG

from trifocal.batch import Batch
from trifocal.train.batches import BatchMaker, epoch_batches
from trifocal.train.examples import search_examples
from trifocal.train.processes import Place


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> BatchMaker:
    data = judged_circle(tmp_path_factory.mktemp("circle"))
    searches = search_examples(data.searches, data.histories, SMALL.history_length)
    return BatchMaker(data, searches, SMALL, CONFIG.model_copy(update={"max_shown_lists": 20}))


def taken(batches: list[Batch]) -> list[list[int]]:
    return sorted(row[row >= 0].tolist() for batch in batches for row in batch.targets)


def shown(batches: list[Batch]) -> list[list[int]]:
    return sorted(row.tolist() for batch in batches if batch.shown for row in batch.shown.item_rows)


def test_batches_fit_the_contract_and_prefer_targets_as_live_items(maker: BatchMaker) -> None:
    few = replace(maker, config=maker.config.model_copy(update={"batch_size": 2, "live_items": 7}))
    for batch, times in epoch_batches(few, 0):
        batch.validate()
        assert times.shape == batch.targets.shape
        wanted = set(batch.targets[batch.targets >= 0].tolist())
        assert wanted <= set(batch.item_rows.tolist())
        assert len(batch.item_rows) == 7


def test_an_epoch_holds_every_history_and_as_many_lists_as_it_may(maker: BatchMaker) -> None:
    batches = [batch for batch, _ in epoch_batches(maker, 0)]
    assert len(taken(batches)) == len(maker.data.histories) + len(maker.searches)
    assert len(shown(batches)) == 20
    assert sum(len(batch.rated.users) for batch in batches if batch.rated) == len(maker.data.rated)


def test_epochs_differ_and_an_epoch_is_always_the_same(maker: BatchMaker) -> None:
    first, again, second = ([b.targets for b, _ in epoch_batches(maker, epoch)] for epoch in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("size", [2, 3])
def test_processes_together_see_what_one_would_see(maker: BatchMaker, size: int) -> None:
    alone = [batch for batch, _ in epoch_batches(maker, 0)]
    parts = [[b for b, _ in epoch_batches(replace(maker, place=Place(rank, size)), 0)] for rank in range(size)]
    assert {len(part) for part in parts} == {len(alone)}
    for step, whole in enumerate(alone):
        assert taken([whole]) == taken([part[step] for part in parts])
        assert shown([whole]) == shown([part[step] for part in parts])


def test_a_loss_that_counts_nothing_reads_no_lists(maker: BatchMaker) -> None:
    losses = maker.config.losses.model_copy(update={"click": 0.0})
    quiet = replace(maker, config=maker.config.model_copy(update={"losses": losses, "max_rated_lists": 0}))
    batch, _ = next(epoch_batches(quiet, 0))
    assert (batch.shown, batch.rated) == (None, None)


def test_with_fewer_lists_than_steps_some_steps_have_none(maker: BatchMaker) -> None:
    config = maker.config.model_copy(update={"batch_size": 4, "max_shown_lists": 1})
    sizes = [len(b.shown.users) for b, _ in epoch_batches(replace(maker, config=config), 0) if b.shown]
    assert (sum(sizes), len(sizes)) == (1, int(np.ceil((len(maker.data.histories) + 1) / 4)))


def test_of_old_windows_only_a_share_is_drawn_and_every_new_one(maker: BatchMaker) -> None:
    newest = {user: int(history.timestamps_s[-1]) for user, history in maker.data.histories.items()}
    since_s = int(np.quantile(list(newest.values()), 0.5)) + 1
    unsearched = replace(maker, searches=(), since_s=since_s)
    whole, none, half = (
        taken([batch for batch, _ in epoch_batches(replace(unsearched, replay=share), 0)]) for share in (1.0, 0.0, 0.5)
    )
    new = sum(moment >= since_s for moment in newest.values())
    assert len(whole) == len(newest)
    assert len(none) == new
    assert new < len(half) < len(newest)
