from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tests.features.small_catalogue import WIDTH, small_features

from trifocal.train.examples import SearchEvent, batches, search_examples, sequence_examples
from trifocal.train.objective import _candidates, _later_positives
from trifocal.types import History


def history(rows: list[int], times: list[int]) -> History:
    zeros = np.zeros(len(rows), dtype=np.int64)
    return History(np.array(rows), zeros, np.array(times), zeros, zeros)


def test_every_event_is_a_target_once() -> None:
    whole = history([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    examples = sequence_examples([whole], 2, shuffle_ties=False, generator=np.random.default_rng(0))
    assert [e.targets.tolist() for e in examples] == [[4, 5], [2, 3], [1]]
    assert [e.request.history.item_rows.tolist() for e in examples] == [[4], [2], []]
    assert examples[0].request.context.timestamp_s == 5


def test_only_ties_are_shuffled() -> None:
    whole = history([1, 2, 3, 4, 5, 6], [1, 7, 7, 7, 7, 9])
    orders = set()
    for seed in range(20):
        (example,) = sequence_examples([whole], 10, shuffle_ties=True, generator=np.random.default_rng(seed))
        targets = example.targets.tolist()
        assert (targets[0], sorted(targets[1:5]), targets[5]) == (1, [2, 3, 4, 5], 6)
        orders.add(tuple(targets))
    assert len(orders) > 5


def test_a_search_example_knows_what_came_before_and_nothing_else() -> None:
    event = SearchEvent("u", 3, 30, np.ones(WIDTH, np.float32))
    (example,) = search_examples([event], {"u": history([1, 2, 3, 4], [10, 20, 30, 40])}, 5)
    assert example.request.history.item_rows.tolist() == [1, 2]
    assert example.targets.tolist() == [-1, -1, 3]
    assert example.request.context.query_vector is not None


def test_batches_fit_the_contract_and_prefer_targets_as_live_items(tmp_path: Path) -> None:
    features, _ = small_features(tmp_path)
    generator = np.random.default_rng(0)
    whole = [history([0, 1], [1, 2]), history([2], [1]), history([0, 3, 4], [1, 2, 3])]
    examples = sequence_examples(whole, 5, shuffle_ties=False, generator=generator)
    made = list(batches(examples, features, batch_size=2, live_items=6, history_length=5, generator=generator))
    assert sorted(len(batch.users) for batch, _ in made) == [1, 2]
    for batch, times in made:
        batch.validate()
        assert times.shape == batch.targets.shape
        wanted = set(batch.targets[batch.targets >= 0].tolist())
        assert wanted <= set(batch.item_rows.tolist())


def test_items_never_taken_are_no_negatives() -> None:
    rows, log_q = _candidates(torch.tensor([4]), torch.tensor([3.0, 0.0, 1.0, 0.0, 0.0]), 10)
    assert rows.tolist() == [0, 2, 4]
    assert log_q is None


def test_a_large_catalogue_is_sampled_and_corrected() -> None:
    torch.manual_seed(0)
    counts = torch.ones(1000)
    counts[7] = 500
    rows, log_q = _candidates(torch.tensor([3, 999]), counts, 50)
    assert log_q is not None
    assert {3, 7, 999} <= set(rows.tolist())
    assert len(rows) <= 52
    # Item 7 is drawn almost surely: q near 1; the others about 50 times in 1000.
    assert log_q[rows == 7].exp().item() > 0.9
    assert 0.02 < log_q[rows == 3].exp().item() < 0.08


def test_other_targets_of_the_same_user_are_accidental_hits() -> None:
    targets = torch.tensor([[2, 5, -1], [5, -1, -1]])
    users = torch.tensor([0, 0, 1])
    hits = _later_positives(targets, users, torch.tensor([2, 3, 5]))
    assert hits.tolist() == [[True, False, True], [True, False, True], [False, False, True]]
