"""The course: one point a moment for everything and each variant, bounded."""

from __future__ import annotations

from trifocal.feedback.kpis import KpiConfig, Kpis
from trifocal.ports import StoredEvent
from trifocal.serve.watch.course import Course


def kpis() -> Kpis:
    found = Kpis(KpiConfig(windows_s=(60,), buckets=6))
    for number in range(4):
        kind = "click" if number == 0 else "impression"
        event = StoredEvent(str(number), "ann", "red-lamp", kind, 100.0, variant="new")
        found.observe_events([event], 100.0)
    found.observe_answer(variant="new", rung="memory", milliseconds=5.0, cached=False, now_s=100.0)
    return found


def test_a_moment_holds_everything_and_each_variant() -> None:
    course = Course(10.0, 3)
    course.take(kpis().snapshot(100.0, 12)[0], {"main": "full", "new": "memory"}, 100.0)
    every, main, new = course.since(0.0)
    assert [(point.variant, point.rung) for point in (every, main, new)] == [
        ("", "full"),
        ("main", "full"),
        ("new", "memory"),
    ]
    # One click on three impressions; one answer, by a lower rung.
    assert every.ctr == new.ctr == 1 / 3
    assert (new.impressions, new.answers, new.fallen, new.failed) == (3, 1, 1.0, 0.0)
    assert (main.answers, main.ctr, main.p95_ms) == (0, None, None)


def test_moments_come_when_they_are_due_and_old_ones_go() -> None:
    course, window = Course(10.0, 3), Kpis(KpiConfig(windows_s=(60,), buckets=6)).snapshot(0.0, 12)[0]
    for now_s in range(0, 60, 5):
        if course.is_due(float(now_s)):
            course.take(window, {"main": "full"}, float(now_s))
    assert [point.at_s for point in course.since(-1.0) if not point.variant] == [30.0, 40.0, 50.0]
    assert {point.at_s for point in course.since(40.0)} == {50.0}
