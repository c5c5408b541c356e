"""The slot that is left to chance: by enumeration, by many draws, and through the gateway and its cache."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serve.small_service import small_service

from trifocal.serve import Answer, Ask, ServeConfig, Service
from trifocal.serve.caches.config import CacheConfig
from trifocal.serve.experiment.config import ExplorationConfig
from trifocal.serve.experiment.exploration import explored
from trifocal.types import Rankings


def rankings(length: int, found: int) -> tuple[Rankings, Rankings]:
    """Return the list, and everything that was found: rows from 100 on, scores from 0 down."""
    every = Rankings(np.arange(100, 100 + found)[None], -np.arange(found, dtype=np.float32)[None])
    return Rankings(every.item_rows[:, :length], every.scores[:, :length]), every


@settings(max_examples=50, deadline=None)
@given(
    length=st.integers(1, 6),
    more=st.integers(0, 6),
    slot=st.integers(1, 7),
    among=st.integers(1, 5),
    share=st.integers(1, 8),
)
def test_what_is_said_is_what_happens(length: int, more: int, slot: int, among: int, share: int) -> None:
    """Every part of the draw, once: what came, and how often, is what the propensities said."""
    shown, every = rankings(length, length + more)
    exploration = ExplorationConfig(share=share / 8, slot=slot, among=among)
    parts = 8 * max(min(more, among), 1)
    came: Counter[tuple[int, int]] = Counter()
    said: dict[tuple[int, int], float] = {}
    for part in range(parts):
        filled, chances = explored(shown, every, exploration, (part + 0.5) / parts)
        assert len(set(filled.item_rows[0].tolist())) == length
        for place, (row, score) in enumerate(zip(filled.item_rows[0].tolist(), filled.scores[0].tolist(), strict=True)):
            assert score == 100 - row
            came[place, row] += 1
            assert said.setdefault((place, row), chances[place]) == chances[place]
    for found, count in came.items():
        assert said[found] == pytest.approx(float(Fraction(count, parts)))


def test_many_draws_come_as_often_as_they_say() -> None:
    shown, every = rankings(3, 10)
    exploration = ExplorationConfig(share=0.3, slot=3, among=4)
    drawn = np.random.default_rng(1).random(40_000)
    third = Counter(int(explored(shown, every, exploration, float(value))[0].item_rows[0, 2]) for value in drawn)
    assert set(third) == {102, 103, 104, 105, 106}
    # Standard deviations of the shares: .0023 and .0013.
    assert third[102] / 40_000 == pytest.approx(0.7, abs=0.01)
    assert [third[row] / 40_000 for row in (103, 104, 105, 106)] == pytest.approx([0.075] * 4, abs=0.006)


@pytest.mark.parametrize(("length", "found", "slot"), [(2, 5, 3), (3, 3, 2)])
def test_nothing_to_choose_from_leaves_the_list(length: int, found: int, slot: int) -> None:
    shown, every = rankings(length, found)
    filled, chances = explored(shown, every, ExplorationConfig(share=1.0, slot=slot), 0.0)
    assert filled is shown
    assert chances == (1.0,) * length


def test_filled_up_places_are_no_items() -> None:
    shown = Rankings(np.array([[4, -1]]), np.array([[1.0, -np.inf]], np.float32))
    assert explored(shown, shown, ExplorationConfig(share=1.0, slot=2), 0.0) == (shown, (1.0, 1.0))
    padded = Rankings(np.array([[4, 5, -1]]), np.array([[1.0, 0.5, -np.inf]], np.float32))
    filled, chances = explored(padded, padded, ExplorationConfig(share=1.0, slot=2), 0.0)
    assert (filled.item_rows.tolist(), chances) == ([[4, 5, -1]], (1.0, 1.0, 1.0))


def exploring(folder: Path, share: float, *, answer_bytes: int = 0) -> Service:
    config = ServeConfig(
        exploration=ExplorationConfig(share=share, slot=2, among=3), caches=CacheConfig(answer_bytes=answer_bytes)
    )
    return small_service(folder, config=config)


def seconds_of(service: Service, count: int) -> Counter[tuple[str, float]]:
    answers = [service.gateway.recommend(Ask(user_id="ann", k=4)) for _ in range(count)]
    return Counter((answer.items[1].card.item_id, answer.items[1].propensity) for answer in answers)


@pytest.mark.parametrize("answer_bytes", [0, 1_000_000])
def test_a_kept_answer_freezes_no_draw(tmp_path: Path, answer_bytes: int) -> None:
    service = exploring(tmp_path, 0.5, answer_bytes=answer_bytes)
    found = seconds_of(service, 300)
    assert sorted({chance for _, chance in found}) == [pytest.approx(0.5 / 3), 0.5]
    assert len(found) == 4
    # The model's own item, the one of propensity .5, comes half of the times: standard deviation .029.
    own = sum(count for (_, chance), count in found.items() if chance == 0.5)
    assert own / 300 == pytest.approx(0.5, abs=0.12)
    (stats,) = service.cache_stats().get("answers", (None,))
    assert (stats is None) == (answer_bytes == 0)
    if stats is not None:
        assert stats.hits == own - 1


def test_other_places_are_certain_and_nothing_comes_twice(tmp_path: Path) -> None:
    service = exploring(tmp_path, 1.0)
    answer = service.gateway.recommend(Ask(user_id="ann", k=4, diversity=0.5))
    assert [item.propensity for item in answer.items] == [1.0, pytest.approx(1 / 3), 1.0, 1.0]
    assert len({item.card.item_id for item in answer.items}) == 4


def test_a_fallback_is_not_explored(tmp_path: Path) -> None:
    answer = exploring(tmp_path, 1.0).gateway.fall_back(Ask(user_id="ann", k=4))
    assert [item.propensity for item in answer.items] == [1.0] * 4


def plain(answer: Answer) -> list[tuple[str, float]]:
    return [(item.card.item_id, item.propensity) for item in answer.items]


def test_the_last_good_list_is_the_models_own(tmp_path: Path) -> None:
    own = plain(small_service(tmp_path).gateway.recommend(Ask(user_id="ann", k=4)))
    service = exploring(tmp_path / "other", 1.0)
    service.gateway.recommend(Ask(user_id="ann", k=4))
    assert plain(service.gateway.fall_back(Ask(user_id="ann", k=4)))[: len(own)] == own
