from __future__ import annotations

import pytest

from trifocal.feedback.kpis import CellKpis, KpiConfig, Kpis
from trifocal.ports import StoredEvent

CATEGORIES = {"x": "Fashion > Dresses", "y": "Fashion > Shoes", "z": "Home"}


def event(kind: str, item: str = "x", user: str = "ann", variant: str = "main", rung: str = "full") -> StoredEvent:
    return StoredEvent(
        "", user, item, kind, 0.0, session_id="s", device="phone", variant=variant, rung=rung, answer_id="a"
    )


def kpis(**changes: int) -> Kpis:
    config = KpiConfig(windows_s=(100, 1000), buckets=10, **changes)  # type: ignore[arg-type]  # whole numbers only here
    return Kpis(config, category=CATEGORIES.get, is_known=lambda user_id: user_id == "ben")


def cell(found: Kpis, dimension: str = "all", value: str = "", *, now_s: float = 50.0, window: int = 0) -> CellKpis:
    cells = found.snapshot(now_s, catalogue_size=10)[window].cells
    return next(each for each in cells if (each.dimension, each.value) == (dimension, value))


def test_shares_are_counted_in_all_and_apart() -> None:
    found = kpis()
    found.observe_events([event("impression", item) for item in "xyz"] + [event("click", "y")], 10.0)
    found.observe_events([event("impression", "z", "ben", "als"), event("purchase", "z", "ben", "als")], 20.0)
    every = cell(found)
    assert (every.impressions, every.clicks, every.purchases, every.sessions) == (4, 1, 1, 2)
    assert (every.ctr.value, every.conversion.value, every.coverage) == (0.25, 0.5, 0.3)
    assert cell(found, "variant", "main").ctr.value == pytest.approx(1 / 3)
    assert cell(found, "variant", "als").ctr.value == 0
    assert cell(found, "variant", "als").coverage == 0.1
    assert cell(found, "segment", "known").conversion.value == 1
    assert cell(found, "segment", "new").conversion.value == 0
    assert cell(found, "category", "Fashion").ctr.value == 0.5
    assert cell(found, "category", "Home").conversion.value == 0.5
    assert cell(found, "category", "Home").satisfaction.value is None
    assert cell(found, "device", "phone").impressions == 4
    assert cell(found, "rung", "full").impressions == 4


def test_satisfaction_follows_a_session_as_it_goes_on() -> None:
    found = kpis()
    found.observe_events([event("impression")], 10.0)
    found.observe_events([event("impression", user="ben")], 10.0)
    assert cell(found).satisfaction.value == 0
    found.observe_events([event("purchase")], 20.0)
    # Ann's session counts 1 (conversion is all that is known), Ben's 0.
    assert cell(found).satisfaction.value == 0.5
    assert cell(found, "variant", "main").satisfaction.value == 0.5


def test_who_comes_back_is_counted() -> None:
    found = kpis()
    found.observe_events([event("impression")], 0.0)
    found.observe_events([event("impression"), event("impression", user="eve")], 2000.0)
    assert cell(found, now_s=2000.0).repeat.value == 0.5


def test_windows_forget() -> None:
    found = kpis()
    found.observe_events([event("impression")], 0.0)
    assert found.snapshot(150.0, 10)[0].cells == ()
    assert cell(found, now_s=150.0, window=1).impressions == 1
    assert cell(found, now_s=150.0, window=1).coverage == 0.1


def test_answers_count_by_variant_and_rung() -> None:
    found = kpis()
    for rung, milliseconds in (("full", 2.0), ("full", 2.0), ("popular", 9.0), (None, 300.0)):
        found.observe_answer(variant="main", rung=rung, milliseconds=milliseconds, cached=False, now_s=1.0)
    found.observe_answer(variant="main", rung="full", milliseconds=0.1, cached=True, now_s=1.0)
    every = cell(found)
    assert (every.answers, every.failed.value, every.fallen.value, every.cached.value) == (5, 0.2, 0.2, 0.2)
    assert every.p50_ms == pytest.approx(2.0, rel=0.2)
    assert cell(found, "rung", "full").answers == 3


def test_values_beyond_the_bound_are_told_as_others() -> None:
    found = kpis(values_most=2, items_most=3)
    found.observe_events([event("impression", f"i{n}", variant=f"v{n}") for n in range(5)], 1.0)
    assert cell(found, "variant", "other").impressions == 3
    assert cell(found).coverage == 0.3
