from __future__ import annotations

from dataclasses import replace

import pytest

from trifocal.data.shop.live import LiveResult, Page, VisitDone, figures, result_json
from trifocal.data.shop.live.figures import share_of

PAGE = Page(False, "a", "full", "m", impressions=10, clicks=2, carts=1, purchases=1, content=1.2, latency_ms=4.0)
VISIT = VisitDone(0, "u1", 0, 0, (PAGE,), stored=14, told=14)


def test_rows_are_of_variant_and_rung() -> None:
    nothing = replace(PAGE, clicks=0, carts=0, purchases=0, content=0.0, latency_ms=8.0)
    searched = replace(nothing, is_search=True, rung="text")
    rows = figures([VISIT, replace(VISIT, pages=(searched, nothing, nothing))])
    assert [(row.variant, row.rung, row.visits, row.requests) for row in rows] == [
        ("a", "full", 2, 3),
        ("a", "text", 1, 1),
    ]
    full = rows[0]
    # 2 clicks of 30; one visit of two bought; satisfaction 1.2 / 2 and 0.
    assert full.ctr.value == pytest.approx(2 / 30)
    assert full.conversion.value == 0.5
    assert full.satisfaction.value == pytest.approx(0.3)
    # Deviation of (.6, 0) is .4243; 1.96 * .4243 / sqrt(2) = .588, cut at 0.
    assert (full.satisfaction.low, round(full.satisfaction.high, 3)) == (0.0, 0.888)
    assert (full.p50_ms, round(full.p95_ms, 3)) == (8.0, 8.0)


def test_a_share_has_bounds_where_nothing_was_hit() -> None:
    # Wilson at 0 of 100: z² / (n + z²) = 3.8415 / 103.8415.
    assert round(share_of(0, 100).high, 4) == 0.037
    assert share_of(0, 100).low == 0.0


def test_a_visit_sums_its_pages() -> None:
    visit = replace(VISIT, pages=(replace(PAGE, is_search=True, variant="b", clicks=0, content=0.0), PAGE))
    assert (visit.impressions, visit.clicks, visit.purchases, visit.variant) == (20, 2, 2, "a")
    assert visit.satisfaction == pytest.approx(0.6)
    assert replace(visit, pages=()).satisfaction == 0.0


def test_the_counts_in_plain_values() -> None:
    failed = replace(VISIT, pages=(), told=3, stored=0, fault="gone")
    about = result_json(LiveResult((VISIT, failed), planned=5, refused=1, wall_s=2.0))
    wanted = {
        "visits": 2,
        "planned": 5,
        "shoppers": 1,
        "clicks": 2,
        "events_told": 17,
        "events_stored": 14,
        "failed": 1,
    }
    assert {name: about[name] for name in wanted} == wanted
    assert about["last_fault"] == "gone"
