from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from benchmarks.quality import shop_evidence, shop_inference
from benchmarks.quality.shop_evidence import Evidence, gather
from benchmarks.quality.shop_inference import (
    ALL_TRACES,
    CLICK_TRACES,
    Prior,
    Shopper,
    Trace,
    World,
    fit_prior,
    infer,
    inferred_truth,
    log_likelihood,
)
from benchmarks.quality.shop_truth import Truth

from trifocal import columns as c
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.shop import ShopConfig, behaviour, exposure, tables, visits
from trifocal.data.shop.generate import simulate
from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.shoppers import Shoppers
from trifocal.data.shop.utility import Utility
from trifocal.types import Vocabulary

START = date(2026, 1, 5)
PRODUCTS = 900
WITHOUT_SLOTS: tuple[Trace, ...] = (*CLICK_TRACES, "replies", "searches")


@dataclass(frozen=True)
class Shop:
    """A small shop, its events, and what they and the prior say."""

    truth: Truth
    events: pl.DataFrame
    evidence: Evidence
    prior: Prior

    def inferred(self, traces: tuple[Trace, ...], truth: Truth | None = None) -> Utility:
        shop = truth or self.truth
        return inferred_truth(shop, shop.shoppers, self.evidence, self.prior, traces).utility


def shop_of(sessions: int, *, shoppers: int = 10, days: int = 182) -> Shop:
    """Return a shop of `shoppers` who come `sessions` times each, and its events."""
    utility, _, _ = simulate(ShopConfig(products=PRODUCTS, shoppers=shoppers, days=days, seed=5))
    busy = replace(
        utility.shoppers,
        join_day=np.zeros(shoppers, dtype=np.int64),
        sessions=np.full(shoppers, sessions, dtype=np.int64),
    )
    utility = replace(utility, shoppers=busy)
    rng = np.random.default_rng(0)
    came = visits.sample_visits(utility, rng)
    done = behaviour.play(utility, came, rng)
    items, users = tables.ids("item", PRODUCTS), tables.ids("user", shoppers)
    events = tables.event_table(utility, came, done, item_ids=items, user_ids=users, start=START)
    truth = Truth(utility, Vocabulary.of(users), Vocabulary.of(items), np.arange(PRODUCTS), START)
    known = conform(events, EVENT_SCHEMA)
    return Shop(truth, known, gather(truth, known, truth.shoppers), fit_prior(utility.products))


@pytest.fixture(scope="module")
def busy() -> Shop:
    return shop_of(170)


@pytest.fixture(scope="module")
def quiet() -> Shop:
    return shop_of(3, days=28)


def values(utility: Utility) -> Numbers:
    rows = np.arange(len(utility.shoppers))
    return utility.block(rows, np.full(len(rows), 20.0), np.arange(len(utility.products)))


def true_shopper(shoppers: Shoppers) -> Shopper:
    names = ("affinity_start", "affinity_end", "visual_taste", "text_taste")
    prices = (shoppers.price_ideal[:, None], shoppers.price_sensitivity[:, None])
    return Shopper(*(torch.tensor(part) for part in (*(getattr(shoppers, name) for name in names), *prices)))


@pytest.fixture(scope="module")
def crowd() -> Shop:
    return shop_of(8, shoppers=150, days=28)


@pytest.mark.parametrize("traces", [CLICK_TRACES, WITHOUT_SLOTS])
def test_with_much_evidence_the_truth_is_found(busy: Shop, traces: tuple[Trace, ...]) -> None:
    shown = busy.evidence.impressions.user
    assert int(torch.bincount(shown).min()) > 2000
    found = values(busy.inferred(traces))
    likeness = [np.corrcoef(*pair)[0, 1] for pair in zip(found, values(busy.truth.utility), strict=True)]
    assert np.mean(likeness) > 0.95
    assert min(likeness) > 0.9


def test_of_a_stranger_the_prior_mean_is_known(quiet: Shop) -> None:
    truth, prior = quiet.truth, quiet.prior
    users = Vocabulary.of(["stranger", truth.shoppers.ids[0]])
    evidence = gather(truth, quiet.events, users)
    found = inferred_truth(truth, users, evidence, prior, ALL_TRACES).utility.shoppers
    mean = prior.shopper(torch.zeros(1, len(prior.mean)))
    np.testing.assert_allclose(found.visual_taste[0], mean.visual_taste[0], atol=1e-6)
    np.testing.assert_allclose(found.affinity_end[0], mean.affinity_end[0], atol=1e-6)
    assert np.abs(found.affinity_end[1] - mean.affinity_end[0].numpy()).max() > 0.1


def test_nothing_of_the_true_shoppers_is_read(quiet: Shop) -> None:
    truth, shoppers = quiet.truth, quiet.truth.utility.shoppers
    others = Shoppers(**{f.name: np.zeros_like(getattr(shoppers, f.name)) for f in fields(Shoppers)})
    blind = replace(truth, utility=replace(truth.utility, shoppers=others))
    again = replace(quiet, evidence=gather(blind, quiet.events, blind.shoppers))
    first, second = quiet.inferred(ALL_TRACES), again.inferred(ALL_TRACES, blind)
    np.testing.assert_array_equal(values(first), values(second))


def test_the_formula_is_that_of_the_shop(quiet: Shop) -> None:
    utility = quiet.truth.utility
    world, shopper = World(utility), true_shopper(utility.shoppers)
    rows, days = torch.arange(len(utility.shoppers)), torch.full((len(utility.shoppers),), 20.0)
    found = world.lasting(shopper) + world.categories(shopper, rows, days)[:, world.category]
    np.testing.assert_allclose(found, values(utility), rtol=1e-4, atol=1e-4)


def test_constants_are_those_of_the_shop() -> None:
    def private(module: ModuleType, name: str) -> Any:
        return getattr(module, name)

    np.testing.assert_array_equal(private(behaviour, "_DWELL_BASE_S"), shop_evidence.DWELL_BASE_S)
    assert private(behaviour, "_DWELL_NOISE") == shop_inference.DWELL_NOISE
    assert private(exposure, "_ARRIVAL_BONUS") == shop_evidence.ARRIVAL_BONUS
    assert private(exposure, "_ARRIVAL_DAYS") == shop_evidence.ARRIVAL_DAYS
    assert private(exposure, "_FORGET_CLICKED") == shop_evidence.FORGET_CLICKED
    assert private(visits, "_INTENT_TEMPERATURE") == shop_inference.INTENT_TEMPERATURE
    personal, shares = private(exposure, "_PERSONAL"), private(exposure, "_POLICY_SHARES")
    assert private(exposure, "_NOISE")[personal] == shop_inference.PERSONAL_NOISE
    inside = 1 - shares[private(exposure, "_ELSEWHERE")]
    assert shares[personal] / inside == pytest.approx(shop_inference.PERSONAL_SHARE)


@pytest.mark.parametrize("trace", ALL_TRACES)
def test_each_trace_is_likelier_under_the_truth_than_under_others(crowd: Shop, trace: Trace) -> None:
    world, prior = World(crowd.truth.utility), crowd.prior
    told = true_shopper(crowd.truth.utility.shoppers)
    mean = prior.shopper(torch.zeros(len(told.price_ideal), len(prior.mean)))
    swapped = Shopper(*(part.flip(0) for part in told))
    found = [float(log_likelihood(world, shopper, crowd.evidence, [trace])) for shopper in (told, mean, swapped)]
    assert found[0] > max(found[1:])


def test_the_likelihood_of_clicks_is_that_of_the_click_model(quiet: Shop) -> None:
    utility, shown = quiet.truth.utility, quiet.evidence.impressions
    pairs = utility.pairs(shown.user.numpy(), shown.day.numpy(), shown.item.numpy())
    chance = shown.looked_at.numpy() / (1 + np.exp(1.6 * (utility.weights.click_threshold - pairs)))
    expected = np.log(np.where(shown.clicked.numpy(), chance, 1 - chance)).sum()
    found = log_likelihood(World(utility), true_shopper(utility.shoppers), quiet.evidence, ["clicks"])
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_evidence_is_counted(quiet: Shop) -> None:
    events, evidence = quiet.events, quiet.evidence
    counts = dict(events.group_by(c.EVENT).len().iter_rows())
    assert len(evidence.impressions.user) == counts["impression"]
    assert int(evidence.impressions.clicked.sum()) == len(evidence.replies.impression) == counts["click"]
    assert int(evidence.replies.carted.sum()) == counts.get("cart", 0)
    assert int(evidence.replies.bought.sum()) == counts.get("purchase", 0)
    assert len(evidence.visits.user) == events[c.SESSION_ID].n_unique()
    searched = events.filter(pl.col(c.QUERY).is_not_null())[c.SESSION_ID].n_unique()
    assert len(evidence.searches.user) == searched


def test_slots_hold_what_was_shown_of_the_category_that_was_looked_for(quiet: Shop) -> None:
    evidence, category = quiet.evidence, quiet.truth.utility.products.category
    slots = evidence.slots
    items = slots.columns[slots.visit, slots.place].numpy()
    assert (category[items] == evidence.visits.intent[slots.visit].numpy()).all()
    shown = category[evidence.impressions.item.numpy()]
    assert 0.7 < len(items) / len(shown) <= 1
    assert torch.isfinite(slots.arrival[slots.visit, slots.place]).all()


def test_two_inferences_are_the_same(quiet: Shop) -> None:
    world = World(quiet.truth.utility)
    first, second = (infer(world, quiet.prior, quiet.evidence, ALL_TRACES) for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
