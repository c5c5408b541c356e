from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from tests.data.shop.live.small_server import SmallServer, small_world

from trifocal.data.shop.live import VisitDone, plan_live, simulate_visits
from trifocal.data.shop.shoppers import DEVICES
from trifocal.data.shop.visits import PAGE_SIZES
from trifocal.errors import ConfigError, DataError, ServingError

WORLD = small_world()
PLAN = plan_live(WORLD, shoppers=20, visits_per_shopper=4, seed=2)


def told(threads: int) -> tuple[SmallServer, tuple[VisitDone, ...]]:
    server = SmallServer(WORLD)
    return server, simulate_visits(WORLD, PLAN, server.client(), concurrency=threads).visits


def test_what_is_told_is_what_was_done() -> None:
    server, visits = told(1)
    kinds = Counter(event["event"] for event in server.events.values())
    assert kinds["impression"] == sum(visit.impressions for visit in visits)
    assert kinds["click"] == sum(visit.clicks for visit in visits) > 20
    assert kinds["purchase"] == sum(visit.purchases for visit in visits)
    assert len(server.events) == sum(visit.told for visit in visits) == sum(visit.stored for visit in visits)
    assert len(visits) == 80
    for event in server.events.values():
        assert (event["variant"], event["model_version"], event["propensity"]) == ("main", "m1", 0.5)
        assert (event["rung"] == "text") == (event["query"] is not None)
        assert ("dwell_ms" in event) == (event["event"] == "click")
        assert str(event["answer_id"]).startswith("a")


def test_pages_of_a_visit_do_not_repeat_and_are_as_long_as_the_device_shows() -> None:
    server, _ = told(1)
    seen: dict[str, list[str]] = defaultdict(list)
    for event in server.events.values():
        if event["event"] == "impression" and event["rung"] == "full":
            seen[str(event["session_id"])].append(str(event["item_id"]))
            size = PAGE_SIZES[DEVICES.index(str(event["device"]))]
            assert 1 <= int(str(event["position"])) <= size
    assert seen
    assert all(len(set(items)) == len(items) for items in seen.values())


def test_time_goes_on_within_a_visit() -> None:
    server, _ = told(1)
    moments: dict[str, list[datetime]] = defaultdict(list)
    for event in server.events.values():
        if event["event"] == "impression":
            moments[str(event["session_id"])].append(datetime.fromisoformat(str(event["timestamp"])))
    for shown in moments.values():
        assert shown == sorted(shown)
        assert (shown[-1] - shown[0]).total_seconds() < 3600
    assert min(min(shown) for shown in moments.values()) >= WORLD.moment(WORLD.utility.days)


def test_threads_change_nothing_but_the_order() -> None:
    one, four = told(1)[0].events, told(4)[0].events
    for events in (one, four):
        for event in events.values():
            event.pop("answer_id")
    assert one == four


def test_the_click_rate_is_that_of_the_truth() -> None:
    # Whatever was shown, the expected clicks can be summed from the utilities.
    server, visits = told(2)
    expected = 0.0
    for event in server.events.values():
        if event["event"] == "impression":
            user, item = WORLD.user_ids.index(str(event["user_id"])), WORLD.item_ids.index(str(event["item_id"]))
            row = next(r for r in range(len(PLAN)) if f"live-2-{PLAN.shopper_number[r]}-{PLAN.visit_number[r]}"
                       == event["session_id"])  # fmt: skip
            day = PLAN.visits.day[[row]]
            value = WORLD.utility.pairs(np.array([user]), day, np.array([item]))[0]
            power = (0.65, 0.35, 0.45)[DEVICES.index(str(event["device"]))]
            look = int(str(event["position"])) ** -power
            expected += look / (1 + np.exp(1.6 * (WORLD.utility.weights.click_threshold - value)))
    clicks = sum(visit.clicks for visit in visits)
    # Clicks are independent, so their variance is at most their mean: four deviations.
    assert abs(clicks - expected) < 4 * np.sqrt(expected)


def test_the_hook_can_end_it() -> None:
    seen: list[VisitDone] = []

    def enough(visit: VisitDone) -> bool:
        seen.append(visit)
        return len(seen) < 7

    result = simulate_visits(WORLD, PLAN, SmallServer(WORLD).client(), concurrency=3, on_visit=enough)
    assert list(result.visits) == seen
    assert (len(seen), result.planned) == (7, 80)


def test_a_server_that_fails_ends_it_after_a_while() -> None:
    server = SmallServer(WORLD)
    server.broken = True
    with pytest.raises(ServingError, match=r"20 visits in a row failed, the last so: .*the vectors are gone"):
        simulate_visits(WORLD, PLAN, server.client(), concurrency=2)


def test_a_fault_now_and_then_is_counted() -> None:
    server = SmallServer(WORLD)

    def repaired(_: VisitDone) -> bool:
        server.broken = not server.broken
        return True

    visits = simulate_visits(WORLD, PLAN, server.client(), concurrency=1, on_visit=repaired).visits
    assert sum(visit.fault is not None for visit in visits) == 40


def test_refusals_are_waited_for() -> None:
    server = SmallServer(WORLD)
    server.refuse = 5
    result = simulate_visits(WORLD, plan_live(WORLD, shoppers=2), server.client(), concurrency=1)
    assert result.refused == 5
    assert all(visit.fault is None for visit in result.visits)


def test_visits_are_spread_over_the_time() -> None:
    few = plan_live(WORLD, shoppers=4, visits_per_shopper=1)
    result = simulate_visits(WORLD, few, SmallServer(WORLD).client(), concurrency=1, minutes=0.4 / 60)
    # The last of four starts after three quarters of it.
    assert 0.3 <= result.wall_s < 1.5


def test_another_shop_is_said() -> None:
    server = SmallServer(replace(WORLD, item_ids=tuple(f"other-{row}" for row in range(60))))
    with pytest.raises(DataError, match=r"the server showed 'other-\d+', none of the 60 products of this shop"):
        simulate_visits(WORLD, PLAN, server.client(), concurrency=1)
    with pytest.raises(ConfigError, match="concurrency 65 is out of bounds; visit with 1 to 64"):
        simulate_visits(WORLD, PLAN, server.client(), concurrency=65)
