from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.baselines.sasrec_batches import moments, shuffled_within, window_batches, windows

LENGTHS = st.lists(st.integers(0, 23), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(lengths=LENGTHS, length=st.integers(1, 7))
def test_every_event_but_the_first_is_a_target_once(lengths: list[int], length: int) -> None:
    histories = [np.arange(count) + 100 * user for user, count in enumerate(lengths)]
    parts = windows(histories, length)
    targets = sorted(row for part in parts for row in part[1:].tolist())
    assert targets == sorted(row for history in histories for row in history[1:].tolist())
    assert all(2 <= len(part) <= length + 1 for part in parts)
    assert all((np.diff(part) == 1).all() for part in parts)


def test_the_newest_window_is_whole() -> None:
    assert windows([np.arange(6)], 4)[0].tolist() == [1, 2, 3, 4, 5]


@settings(max_examples=40, deadline=None)
@given(lengths=LENGTHS, positions=st.integers(6, 40), seed=st.integers(0, 3))
def test_batches_hold_each_window_once_and_stay_within_their_size(
    lengths: list[int], positions: int, seed: int
) -> None:
    parts = windows([np.arange(count) + 100 * user for user, count in enumerate(lengths)], 6)
    pairs = []
    for batch in window_batches(parts, positions, np.random.default_rng(seed)):
        assert batch.item_rows.numel() <= positions
        assert torch.equal(batch.real.sum(dim=1), batch.lengths)
        pairs += list(zip(batch.item_rows[batch.real].tolist(), batch.targets.tolist(), strict=True))
    assert sorted(pairs) == sorted((a, b) for part in parts for a, b in pairwise(part.tolist()))


def test_padding_is_small_and_the_order_depends_on_the_generator() -> None:
    generator = np.random.default_rng(0)
    parts = [np.arange(count) for count in generator.integers(2, 200, 400)]
    first, again, other = (list(window_batches(parts, 2000, np.random.default_rng(seed))) for seed in (0, 0, 1))
    filled = sum(len(batch.targets) for batch in first) / sum(batch.item_rows.numel() for batch in first)
    assert filled > 0.85
    assert [b.lengths.tolist() for b in first] == [b.lengths.tolist() for b in again]
    assert [b.lengths.tolist() for b in first] != [b.lengths.tolist() for b in other]


def test_only_events_of_one_moment_change_their_order() -> None:
    part, when = np.arange(7), np.array([0, 0, 0, 1, 2, 2, 2])
    orders = {tuple(shuffled_within([part], [when], np.random.default_rng(seed))[0]) for seed in range(60)}
    assert all(sorted(order[:3]) == [0, 1, 2] and order[3] == 3 and sorted(order[4:]) == [4, 5, 6] for order in orders)
    assert len({order[:3] for order in orders}) == 6


def test_events_without_a_time_keep_their_order() -> None:
    part = np.arange(4)
    assert shuffled_within([part], [moments(np.zeros(4, np.int64))], np.random.default_rng(0))[0].tolist() == [
        0,
        1,
        2,
        3,
    ]
