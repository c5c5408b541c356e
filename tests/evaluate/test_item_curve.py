from __future__ import annotations

import numpy as np
import pytest

from trifocal.data.cases import Cases
from trifocal.errors import DataError
from trifocal.evaluate.item_curve import Pairs, item_curve, pair_figures, pigeonhole_means
from trifocal.evaluate.metrics import user_metrics
from trifocal.types import Request, UserId, Vocabulary

ITEMS = Vocabulary.of(f"i{number}" for number in range(40))
LEVELS = {"i3": 0, "i30": 0, "i5": 10}


def cases() -> Cases:
    """u0 takes a thinned item and another one; u1 two thinned ones; u2 one."""
    truths = (np.array([3, 7]), np.array([5, 3]), np.array([30]))
    return Cases(tuple(UserId(f"u{row}") for row in range(3)), tuple(Request() for _ in range(3)), truths)


def pairs() -> Pairs:
    return Pairs.of(cases(), LEVELS, ITEMS)


RISING = np.tile(np.arange(20), (3, 1))
FALLING = RISING[:, ::-1].copy()


def test_a_pair_is_a_user_and_a_thinned_item_that_was_taken() -> None:
    found = pairs()
    assert found.owners.tolist() == [0, 1, 1, 2]
    assert found.item_rows.tolist() == [3, 5, 3, 30]
    assert found.levels.tolist() == [0, 10, 0, 0]


def test_figures_of_a_pair_are_those_of_a_user_with_that_one_answer() -> None:
    found = pairs()
    lists = np.random.default_rng(0).permuted(np.tile(np.arange(40), (3, 1)), axis=1)[:, :20]
    alone = user_metrics(lists[found.owners], [np.array([row]) for row in found.item_rows])
    for metric in ("recall@20", "ndcg@10"):
        assert pair_figures(lists, found, metric) == pytest.approx(alone[metric])


def test_each_level_has_its_own_means_and_counts() -> None:
    """Item 3 is at place 4 of the rising lists, 30 in none: (1 + 1 + 0) / 3; item 5 at place 6: 1 / log2 7."""
    low, high = item_curve({"one": [RISING], "two": [FALLING]}, pairs(), samples=50)
    assert (low.level, low.events, low.items, low.users) == (0, 3, 2, 3)
    assert (high.level, high.events, high.items, high.users) == (10, 1, 1, 1)
    assert low.models["one"]["recall@20"].mean == pytest.approx(2 / 3)
    assert low.models["one"]["ndcg@10"].mean == pytest.approx(2 / np.log2(5) / 3)
    assert high.models["one"]["ndcg@10"].mean == pytest.approx(1 / np.log2(7))
    # The falling lists have item 5 at place 15.
    assert high.models["two"]["ndcg@10"].mean == 0
    assert high.differences["ndcg@10"]["two"].mean == pytest.approx(1 / np.log2(7))
    assert low.differences["recall@20"]["two"].mean == 0


def test_seeds_of_a_training_are_averaged_pair_by_pair() -> None:
    (_, high) = item_curve({"one": [RISING, FALLING]}, pairs(), samples=10)
    assert high.models["one"]["ndcg@10"].mean == pytest.approx(0.5 / np.log2(7))


def test_both_users_and_items_are_drawn_anew() -> None:
    """One item of many users: resampling users alone would say that its mean is known well. Here only items differ."""
    owners, items = np.arange(200), np.repeat([0, 1], 100)
    values = (items == 0)[:, None].astype(np.float64)
    means = pigeonhole_means(values, owners, items, samples=400, seed=0)[:, 0]
    # Both items once with chance 1/2, one of them twice with 1/4 each: means near 0, 1/2 and 1.
    shares = [float((abs(means - centre) < 0.2).mean()) for centre in (0, 0.5, 1)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.08)


def test_the_interval_holds_the_mean_and_is_decided_by_its_seed() -> None:
    random = np.random.default_rng(1)
    owners, items = random.integers(0, 50, 300), random.integers(0, 20, 300)
    values = random.random((300, 2))
    first, again = (pigeonhole_means(values, owners, items, samples=100, seed=3) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.percentile(first, 2.5, axis=0) == pytest.approx(values.mean(axis=0), abs=0.15)
    assert (np.percentile(first, 97.5, axis=0) > values.mean(axis=0)).all()


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(DataError, match="0 test events ask for a thinned item"):
        item_curve({"one": [RISING]}, Pairs.of(cases(), {"i39": 0}, ITEMS))
    with pytest.raises(DataError, match=r"recall@20 was asked of lists of 10 places; rank at least 20"):
        pair_figures(RISING[:, :10], pairs(), "recall@20")
