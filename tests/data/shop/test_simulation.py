"""The simulated world: what its behaviour has to look like, with floors and ceilings."""

from __future__ import annotations

import numpy as np
import pytest

from trifocal.data.shop.behaviour import Behaviour, examination, satisfaction
from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.generate import simulate
from trifocal.data.shop.products import Products
from trifocal.data.shop.utility import Utility, Weights
from trifocal.data.shop.visits import Visits
from trifocal.ranking import top_k
from trifocal.types import FloatArray, IntArray

World = tuple[Utility, Visits, Behaviour]
_PRODUCTS, _SHOPPERS = 1200, 1500


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(ShopConfig(products=_PRODUCTS, shoppers=_SHOPPERS))


@pytest.fixture(scope="module")
def blind_world() -> World:
    return simulate(ShopConfig(products=_PRODUCTS, shoppers=_SHOPPERS, visual_signal=0.0))


def _style_match(world: World) -> FloatArray:
    utility, visits, behaviour = world
    taste = utility.shoppers.visual_taste[visits.shopper[behaviour.visit]]
    return np.asarray(np.einsum("pd,pd->p", taste, utility.products.visual[behaviour.item]))


def _recall(scores: FloatArray, relevant: IntArray, seen: IntArray) -> float:
    best = top_k(scores, 20, exclude=[np.flatnonzero(row) for row in seen]).item_rows
    hits = np.take_along_axis(relevant, best, axis=1).sum(axis=1)
    return float((hits / relevant.sum(axis=1)).mean())


def test_pairs_are_the_diagonal_of_the_block(world: World) -> None:
    utility = world[0]
    rows, columns, days = np.array([3, 7, 11]), np.array([5, 0, 599]), np.array([0.0, 90.5, 182.0])
    expected = np.diag(utility.block(rows, days, columns))
    np.testing.assert_allclose(utility.pairs(rows, days, columns), expected, rtol=1e-5, atol=1e-5)


def test_drift_moves_evenly_from_start_to_end(world: World) -> None:
    utility = world[0]
    row = np.array([0, 0, 0])
    start, middle, end = utility.categories(row, np.array([0.0, 91.0, 182.0]))
    affinity_gap = utility.shoppers.affinity_end[0] - utility.shoppers.affinity_start[0]
    strengths = np.array([0.7, 0.5, 0.8, 0.2, 0.3, 0.9, 0.2, 0.4, 0.4, 0.3, 0.5, 0.3])
    assert (np.abs(end - start - affinity_gap) <= 2 * strengths + 1e-5).all()
    assert (np.abs(middle - start - affinity_gap / 2) <= 2 * strengths + 1e-5).all()


def test_matches_are_scaled_to_one(world: World) -> None:
    utility = world[0]
    for taste, vectors in (
        (utility.shoppers.visual_taste, utility.products.visual),
        (utility.shoppers.text_taste, utility.products.text),
    ):
        np.testing.assert_allclose((taste[:50] @ vectors.T).std(axis=1), 1.0, rtol=1e-3)


def _spread_within_category(values: FloatArray, products: Products) -> float:
    return float(np.mean([values[:, products.category == code].std(axis=1).mean() for code in range(12)]))


def test_style_is_the_strongest_personal_term_within_a_category(world: World) -> None:
    utility = world[0]
    shoppers, products, weights = utility.shoppers, utility.products, utility.weights
    visual = weights.visual * _spread_within_category(shoppers.visual_taste[:300] @ products.visual.T, products)
    text = weights.text * _spread_within_category(shoppers.text_taste[:300] @ products.text.T, products)
    category = utility.categories(np.arange(300), np.full(300, 90.0)).std(axis=1).mean()
    assert visual / text == pytest.approx(1.5, abs=0.12)
    assert category > visual


def test_click_rate_and_sparsity(world: World) -> None:
    _, visits, behaviour = world
    assert 0.08 <= behaviour.clicked.mean() <= 0.15
    clicks = np.bincount(visits.shopper[behaviour.visit[behaviour.clicked]], minlength=_SHOPPERS)
    assert 5 <= np.median(clicks) <= 11
    assert np.percentile(clicks, 98) >= 40


def test_click_rate_hardly_depends_on_the_visual_signal(world: World, blind_world: World) -> None:
    assert blind_world[2].clicked.mean() == pytest.approx(world[2].clicked.mean(), abs=0.03)


def test_popular_tenth_gets_a_third_or_more_of_the_clicks(world: World) -> None:
    behaviour = world[2]
    clicks = np.sort(np.bincount(behaviour.item[behaviour.clicked], minlength=_PRODUCTS))[::-1]
    assert 0.30 <= clicks[: _PRODUCTS // 10].sum() / clicks.sum() <= 0.48


def test_click_rate_falls_with_position(world: World) -> None:
    behaviour = world[2]
    rates = [behaviour.clicked[behaviour.position == position].mean() for position in (1, 2, 4, 7)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 2 * rates[3]


def test_examination_by_hand() -> None:
    # A phone: 1 ** -0.65 and 4 ** -0.65; a desktop: 4 ** -0.35.
    seen = examination(np.array([1, 4, 4]), np.array([0, 0, 1]))
    np.testing.assert_allclose(seen, [1.0, 0.40613, 0.61557], atol=1e-4)


def test_nothing_is_shown_before_it_exists(world: World) -> None:
    utility, visits, behaviour = world
    assert (utility.products.created_day[behaviour.item] <= visits.day[behaviour.visit]).all()
    # New arrivals are shown at all, within days.
    fresh = utility.products.created_day[behaviour.item] > visits.day[behaviour.visit] - 7
    assert fresh.sum() > 1000


def test_nothing_is_shown_twice_in_a_visit(world: World) -> None:
    behaviour = world[2]
    pairs = behaviour.visit * _PRODUCTS + behaviour.item
    assert len(np.unique(pairs)) == len(pairs)


def test_purchases_are_carted_and_carts_are_clicked(world: World) -> None:
    behaviour = world[2]
    assert not (behaviour.bought & ~behaviour.carted).any()
    assert not (behaviour.carted & ~behaviour.clicked).any()
    assert 0 < behaviour.bought.sum() < behaviour.carted.sum() < behaviour.clicked.sum()


def test_time_runs_forward_within_a_visit(world: World) -> None:
    behaviour = world[2]
    same = behaviour.visit[1:] == behaviour.visit[:-1]
    assert (behaviour.shown_s[1:][same] >= (behaviour.click_s + behaviour.dwell_s)[:-1][same] - 1e-3).all()
    assert (behaviour.click_s > behaviour.shown_s).all()
    assert (behaviour.shown_s[np.r_[True, ~same]] < 10).all()


def test_dwell_follows_satisfaction(world: World) -> None:
    behaviour = world[2]
    clicked = behaviour.clicked
    content = satisfaction(behaviour.utility[clicked], world[0].weights.click_threshold)
    correlation = np.corrcoef(content, np.log(behaviour.dwell_s[clicked]))[0, 1]
    assert 0.4 < correlation < 0.95
    assert (behaviour.dwell_s[~clicked] == 0).all()


def test_clicks_follow_the_style(world: World) -> None:
    assert np.corrcoef(world[2].clicked, _style_match(world))[0, 1] > 0.25


def test_without_visual_signal_clicks_ignore_the_style(blind_world: World) -> None:
    assert abs(np.corrcoef(blind_world[2].clicked, _style_match(blind_world))[0, 1]) < 0.01


def test_equal_seeds_give_equal_worlds_and_others_do_not() -> None:
    first, again, other = (simulate(ShopConfig(products=60, shoppers=40, days=28, seed=seed))[2] for seed in (1, 1, 2))
    assert first.item.tolist() == again.item.tolist()
    assert first.clicked.tolist() == again.clicked.tolist()
    assert first.item.tolist() != other.item.tolist()


def test_the_world_can_be_predicted_and_style_is_worth_it(world: World) -> None:
    utility, visits, behaviour = world
    shape = (_SHOPPERS, _PRODUCTS)
    moments = visits.day[behaviour.visit]
    cut = np.quantile(moments, 0.85)
    seen, relevant = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for target, part in ((seen, moments < cut), (relevant, moments >= cut)):
        rows = behaviour.clicked & part
        target[visits.shopper[behaviour.visit[rows]], behaviour.item[rows]] = 1
    popular = seen.sum(axis=0)
    relevant[seen > 0] = 0
    users = np.flatnonzero(relevant.any(axis=1))
    assert len(users) > 300
    days, columns = np.full(len(users), cut), np.arange(shape[1])
    blind = Utility(utility.products, utility.shoppers, Weights(visual=0.0), utility.days, utility.first_day_of_year)
    by_truth = _recall(utility.block(users, days, columns), relevant[users], seen[users])
    by_blind = _recall(blind.block(users, days, columns), relevant[users], seen[users])
    popularity = np.broadcast_to(popular.astype(np.float32), (len(users), shape[1]))
    by_popularity = _recall(popularity, relevant[users], seen[users])
    assert by_truth > 0.5
    assert by_blind < 0.75 * by_truth
    assert by_popularity < 0.5 * by_blind
