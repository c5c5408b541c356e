from __future__ import annotations

import numpy as np
from tests.features.small_catalogue import WIDTH

from trifocal.train.examples import SearchEvent, like_lengths, search_examples, sequence_examples
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


def test_events_without_a_time_keep_their_order() -> None:
    whole = history([1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0])
    (example,) = sequence_examples([whole], 10, shuffle_ties=True, generator=np.random.default_rng(0))
    assert example.targets.tolist()[:6] == [1, 2, 3, 4, 5, 6]


def test_a_search_example_knows_what_came_before_and_nothing_else() -> None:
    event = SearchEvent("u", 3, 30, np.ones(WIDTH, np.float32))
    (example,) = search_examples([event], {"u": history([1, 2, 3, 4], [10, 20, 30, 40])}, 5)
    assert example.request.history.item_rows.tolist() == [1, 2]
    assert example.targets.tolist() == [-1, -1, 3]
    assert example.request.context.query_vector is not None


def test_groups_hold_every_example_once_and_like_lengths() -> None:
    generator = np.random.default_rng(0)
    histories = [history(list(range(n)), list(range(1, n + 1))) for n in (1, 2, 3, 4) * 5]
    examples = sequence_examples(histories, 10, shuffle_ties=False, generator=generator)
    groups = like_lengths(examples, 5, generator)
    assert [len(group) for group in groups] == [5, 5, 5, 5]
    assert [len({len(e.targets) for e in group}) for group in groups] == [1, 1, 1, 1]
    assert {id(e) for group in groups for e in group} == {id(e) for e in examples}
