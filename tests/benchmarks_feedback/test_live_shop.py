"""The living shop's figures: the looks of the test, the story of the break, and both once over HTTP, small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.feedback import live_shop
from benchmarks.feedback.live_ab import STOPPED, Peeks
from benchmarks.feedback.live_break import CLIMBED, DELAY, FALSE_MOVES, RECOVERED, Story, measure_break, shuffled
from benchmarks.feedback.live_world import shop_folder
from benchmarks.feedback.plan import QUICK, Setting
from benchmarks.table.figures import Measured
from tests.benchmarks_feedback.made_up_shop import make_shop

from trifocal.bundle import read_bundle
from trifocal.data.shop.live import Page, VisitDone
from trifocal.errors import ConfigError
from trifocal.feedback import MemoryEventStore
from trifocal.feedback.experiments import SequentialPlan, SequentialTest
from trifocal.serve import Ask, ServeConfig, build_service
from trifocal.serve.online import OnlineEngine

SIZES = replace(QUICK, products=60, shoppers=40, ab_shoppers=20, break_shoppers=40, break_impressions=300)
PAGE = Page(False, "als", "full", "m", impressions=10, clicks=0, carts=0, purchases=0, content=0.0, latency_ms=1.0)


def visit(number: int, variant: str, clicks: int, *, visit_number: int = 0, rung: str = "full") -> VisitDone:
    page = replace(PAGE, variant=variant, clicks=clicks, purchases=clicks // 2, content=0.5 * clicks, rung=rung)
    return VisitDone(0, f"u{number}", number, visit_number, (page,), stored=0, told=0)


def test_the_test_stops_once_the_variants_differ() -> None:
    peeks = Peeks(SequentialTest(SequentialPlan(1000)), visits_per_shopper=1)
    rng = np.random.default_rng(0)
    for number in range(1000):
        variant = ("als", "trifocal")[number % 2]
        if not peeks(visit(number, variant, int(rng.binomial(10, 0.1 if number % 2 == 0 else 0.3)))):
            break
    # A look after each hundred; the first has fifty shoppers a variant, and three times the clicks are plain to see.
    assert [look["shoppers"] for look in peeks.looks] == [100]
    assert peeks.test.stopped
    assert peeks.looks[-1]["low"] > 0


def test_a_shopper_counts_when_all_visits_are_over_and_searches_do_not() -> None:
    peeks = Peeks(SequentialTest(SequentialPlan(100)), visits_per_shopper=2)
    search = replace(PAGE, is_search=True, variant="main", clicks=9)
    first = visit(0, "trifocal", 2)
    assert peeks(replace(first, pages=(search, *first.pages)))
    assert peeks(visit(1, "als", 5))
    assert peeks.shoppers == []
    assert peeks(visit(0, "trifocal", 0, visit_number=1))
    (shopper,) = peeks.shoppers
    assert (shopper.variant, shopper.impressions, shopper.clicks, shopper.bought) == ("trifocal", 20, 2, True)
    # Content .5 in the first visit, none in the second.
    assert peeks.estimate("trifocal", "satisfaction").mean == pytest.approx(0.25)
    assert peeks.estimate("trifocal", "ctr").mean == pytest.approx(0.1)
    assert peeks.estimate("trifocal", "conversion").mean == 1.0
    assert peeks.estimate("als", "ctr").shoppers == 0


def test_the_story_goes_through_its_phases() -> None:
    rung, done = [0], list[str]()
    story = Story(
        rung=lambda: rung[0], disturb=lambda: done.append("broken"), repair=lambda: done.append("put right"), length=30
    )
    goes_on = []
    for number, now in enumerate([0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 1, 0]):
        rung[0] = now
        goes_on.append(story(visit(number, "main", 1 if now == 0 else 0)))
    # Three visits of ten impressions each are healthy; the third fall-free one after the break sees the move.
    assert done == ["broken", "put right"]
    assert [story.of(phase).total for phase in ("healthy", "broken", "fallen", "repaired")] == [30, 30, 30, 30]
    assert story.moves == [("broken", 2), ("repaired", 1), ("repaired", 0)]
    assert story.fell
    assert story.climbed
    assert goes_on == [True] * 11 + [False]


def test_a_break_that_nobody_notices_ends_as_well() -> None:
    story = Story(rung=lambda: 0, disturb=lambda: None, repair=lambda: None, length=10)
    count = 1
    while story(visit(0, "main", 0)):
        count += 1
    # 1 healthy, 4 broken, 1 fallen, 4 repaired.
    assert (count, story.fell, story.climbed) == (10, False, False)


def test_parts_are_joined() -> None:
    both = live_shop.joined({"ab": Measured({"a": 1.0}, {"a": "one"}), "break": Measured({"b": 2.0}, units={"b": "x"})})
    assert (both.values, both.notes, both.units) == ({"a": 1.0, "b": 2.0}, {"a": "one"}, {"b": "x"})
    assert set(both.detail) == {"ab", "break"}


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    out = tmp_path_factory.mktemp("live")
    make_shop(out, products=60, shoppers=40)
    return Setting(out, SIZES)


def test_another_shop_is_refused(setting: Setting) -> None:
    assert shop_folder(setting) == setting.out / "shop"
    with pytest.raises(ConfigError, match=r"has 60 products, 120 are wanted; remove it"):
        shop_folder(replace(setting, sizes=QUICK))


def test_a_shuffled_engine_answers_otherwise(setting: Setting) -> None:
    bundle = read_bundle(setting.out / "shop-run" / "trifocal" / "bundle")
    service = build_service(bundle, MemoryEventStore())
    engine = service.gateway.engine
    assert isinstance(engine, OnlineEngine)
    wrong = shuffled(engine, np.random.default_rng(0))
    rows = np.arange(60)
    shuffled_vectors, vectors = wrong.vectors[rows], engine.vectors[rows]
    assert not np.array_equal(shuffled_vectors, vectors)
    assert np.array_equal(np.sort(shuffled_vectors, axis=0), np.sort(vectors, axis=0))
    other = replace(service, gateway=service.gateway.grown(service.catalogue, wrong, 1))
    asks = [Ask(k=10, user_id=f"user-{row:05d}") for row in range(1, 9)]
    lists = [[[item.card.item_id for item in found.recommend(ask).items] for ask in asks] for found in (service, other)]
    assert lists[0] != lists[1]


@pytest.mark.slow
def test_both_halves_once_over_http(setting: Setting) -> None:
    measured = live_shop.measure(setting)
    goals = {goal.name for goal in live_shop.GOALS}
    assert {STOPPED, FALSE_MOVES, CLIMBED} <= set(measured.values)
    assert goals >= {STOPPED, FALSE_MOVES, CLIMBED, DELAY, RECOVERED}
    for variant in ("als", "trifocal"):
        assert 0 <= measured.values[f"CTR, {variant}"] < 1
        assert 0 <= measured.values[f"measured satisfaction, {variant}"] <= 1
    assert measured.values["shoppers until the stop"] == 20
    assert measured.values["CTR, healthy"] >= 0
    # What was measured is kept.
    assert live_shop.measure(setting) == measured


@pytest.mark.slow
def test_the_break_is_noticed_and_the_repair_as_well(setting: Setting) -> None:
    # The made-up vectors have little say: any change of the lists is to be one.
    watch = {"check_s": 0.2, "check_least_s": 0.1, "tick_s": 0.05, "overlap": 0.95}
    guard = {"cool_down_s": 0.5, "checks_passed": 1, "probe_answers": 3, "probe_s": 0.5}
    config = ServeConfig.model_validate({"watch": {**watch, "guard": guard}, "limit_ms": 2000.0})
    measured = measure_break(setting, setting.out / "shop", setting.out / "shop-run/trifocal/bundle", config=config)
    assert measured.values[CLIMBED] == 1
    assert measured.values[DELAY] <= 500
