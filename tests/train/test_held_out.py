from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from trifocal.train.config import SecondStageConfig
from trifocal.train.held_out import Question, held_out_questions
from trifocal.types import History

FUTURE = SecondStageConfig(hold_out="future", stranger_share=0.0)
RANDOM = SecondStageConfig(hold_out="random", stranger_share=0.0)


def history_of(rows: list[int], times: list[int]) -> History:
    count = len(rows)
    places = np.arange(count)
    return History(np.array(rows), np.ones(count, np.int64), np.array(times), places % 3, places % 2)


def questions_of(histories: list[History], config: SecondStageConfig, seed: int = 0) -> list[Question]:
    return held_out_questions(histories, config, np.random.default_rng(seed))


@st.composite
def histories(draw: st.DrawFn) -> History:
    rows = draw(st.lists(st.integers(0, 9), min_size=0, max_size=12))
    times = sorted(draw(st.lists(st.sampled_from([0, 5, 6, 7]), min_size=len(rows), max_size=len(rows))))
    return history_of(rows, times)


@settings(max_examples=60, deadline=None)
@given(st.lists(histories(), max_size=4), st.sampled_from([FUTURE, RANDOM]), st.integers(0, 100), st.booleans())
def test_what_is_to_be_found_is_never_shown(
    given_all: list[History], config: SecondStageConfig, seed: int, strangers: bool
) -> None:
    config = config.model_copy(update={"stranger_share": 0.5 * strangers})
    taken = [set(history.item_rows.tolist()) for history in given_all]
    for question in questions_of(given_all, config, seed):
        targets, shown = set(question.targets.tolist()), set(question.history.item_rows.tolist())
        assert targets
        assert len(targets) == len(question.targets)
        assert not targets & shown
        assert targets | shown <= set(question.taken.tolist())
        assert set(question.taken.tolist()) in taken


def test_the_future_is_all_from_a_moment_on() -> None:
    history = history_of([1, 2, 3, 4, 5, 6], [10, 10, 20, 20, 20, 30])
    cuts = set()
    for seed in range(40):
        (question,) = questions_of([history], FUTURE.model_copy(update={"passes": 1}), seed)
        shown = question.history
        cuts.add(len(shown))
        # A moment is hidden or shown as a whole, and what was shown came before what was hidden.
        assert len(shown) in (0, 2, 5)
        assert question.targets.tolist() == sorted(history.item_rows[len(shown) :].tolist())
        first = len(shown)
        context = question.context
        assert context.timestamp_s == history.timestamps_s[first]
        assert (context.device_code, context.country_code) == (first % 3, first % 2)
    assert cuts == {0, 2, 5}


def test_where_no_time_is_known_the_order_decides() -> None:
    history = history_of([1, 2, 3, 4], [0, 0, 0, 0])
    shown = {len(questions_of([history], FUTURE, seed)[0].history) for seed in range(40)}
    assert shown == {1, 2, 3}


def test_what_is_taken_again_is_no_target() -> None:
    history = history_of([1, 2, 1, 3], [1, 2, 3, 4])
    for seed in range(20):
        for question in questions_of([history], FUTURE, seed):
            assert 1 not in question.targets or len(question.history) == 0
    again = history_of([1, 2, 1, 2], [1, 2, 3, 3])
    assert {tuple(q.targets) for seed in range(20) for q in questions_of([again], FUTURE, seed)} == {(2,)}


@pytest.mark.parametrize(("items", "share", "hidden"), [(10, 0.2, 2), (3, 0.2, 1), (2, 0.5, 1), (10, 0.5, 5)])
def test_a_random_share_of_the_items_is_hidden_one_at_least(items: int, share: float, hidden: int) -> None:
    # Every item twice: hidden is an item, not an event.
    history = history_of([*range(items), *range(items)], list(range(1, 2 * items + 1)))
    config = RANDOM.model_copy(update={"hidden_share": share})
    for question in questions_of([history], config):
        assert len(question.targets) == hidden
        assert len(question.history) == 2 * (items - hidden)
        assert np.all(np.diff(question.history.timestamps_s) > 0)


def test_all_of_what_came_after_is_asked_for() -> None:
    history = history_of(list(range(40)), [10, *[20] * 39])
    targets = {tuple(question.targets) for seed in range(5) for question in questions_of([history], FUTURE, seed)}
    assert targets == {tuple(range(1, 40))}


def test_strangers_show_nothing() -> None:
    history = history_of([4, 2, 7], [1, 2, 3])
    (one, other) = questions_of([history], RANDOM.model_copy(update={"stranger_share": 1.0}))
    for question in (one, other):
        assert len(question.history) == 0
        assert question.targets.tolist() == question.taken.tolist() == [2, 4, 7]
        assert question.context.timestamp_s == 1


def test_who_took_one_thing_is_asked_nothing() -> None:
    assert questions_of([History(), history_of([3, 3], [1, 2])], RANDOM) == []


def test_users_are_asked_in_turn_until_there_are_enough() -> None:
    users = [history_of([user, user + 1], [1, 2]) for user in range(10)]
    assert len(questions_of(users, RANDOM)) == 20
    few = questions_of(users, RANDOM.model_copy(update={"max_questions": 12}))
    assert len(few) == 12
    asked = [tuple(question.taken) for question in few]
    assert len(set(asked[:10])) == 10


def test_the_seed_decides() -> None:
    users = [history_of(list(range(user, user + 6)), list(range(1, 7))) for user in range(10)]
    one, same, other = ([tuple(q.targets) for q in questions_of(users, FUTURE, seed)] for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize("change", [{"hidden_share": 1.0}, {"passes": 0}, {"hold_out": "past"}, {"stranger_share": 2}])
def test_settings_without_sense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(change))):
        SecondStageConfig.model_validate(change)
