from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.errors import ConfigError
from trifocal.feedback.health import Alarm, Guard, GuardConfig, RungTally, Severity

RUNGS = ("full", "retrieval", "memory", "last", "popular")
CONFIG = GuardConfig(
    cool_down_s=10, cool_down_most_s=30, relapse_s=50, checks_passed=2, probe_answers=5, probe_s=20, moves_kept=3
)


def alarm(severity: Severity = Severity.STEP) -> Alarm:
    return Alarm("ctr", "cusum", 0.0, 0.01, 0.1, severity, "ctr fell")


def fallen(at_s: float = 0.0, **passed: bool) -> Guard:
    guard = Guard(CONFIG, RUNGS)
    guard.step(at_s, alarms=[alarm()], passed=verdicts(**passed))
    return guard


def verdicts(**passed: bool) -> dict[int, bool]:
    return {RUNGS.index(name): verdict for name, verdict in passed.items()}


def climbed(guard: Guard, at_s: float) -> float:
    """Let the guard climb one rung, beginning at `at_s`; return when it did."""
    for _ in range(CONFIG.checks_passed):
        guard.step(at_s, passed={})
    assert guard.probed is not None
    move = guard.step(at_s, tallies={guard.probed: RungTally(answers=5)})
    assert move is not None
    assert move.kind == "climb"
    return at_s


def test_an_alarm_leads_one_rung_down_and_a_note_nowhere() -> None:
    guard = Guard(CONFIG, RUNGS)
    assert guard.step(0.0, alarms=[alarm(Severity.NOTE), alarm(Severity.CHECK)]) is None
    move = guard.step(1.0, alarms=[alarm()])
    assert move is not None
    assert (move.before, move.after, move.kind, move.reason) == ("full", "retrieval", "fall", "ctr fell")
    assert (guard.rung, guard.phase, guard.falls) == (1, "cooling", 1)


def test_rungs_that_fail_their_check_are_passed_over() -> None:
    guard = Guard(CONFIG, RUNGS)
    move = guard.step(0.0, passed=verdicts(full=False, retrieval=False))
    assert move is not None
    assert (move.after, move.reason) == ("memory", "full failed the self-check")


def test_a_memory_that_fails_is_left_for_what_needs_none() -> None:
    guard = fallen(retrieval=False)
    assert RUNGS[guard.rung] == "memory"
    move = guard.step(1.0, passed=verdicts(full=False, retrieval=False, memory=False))
    assert move is not None
    assert (move.after, move.reason) == ("last", "memory failed the self-check")


def test_below_the_memory_no_alarm_moves_anything() -> None:
    guard = fallen(retrieval=False, memory=False)
    assert RUNGS[guard.rung] == "last"
    assert guard.step(1.0, alarms=[alarm()], passed=verdicts(full=False, retrieval=False)) is None


def test_nothing_is_probed_before_the_cool_down_and_the_checks() -> None:
    guard = fallen()
    for _ in range(5):
        guard.step(9.9, passed={})
    assert guard.phase == "cooling"
    guard.step(10.0, passed={})
    # No self-check is no pass; one that fails begins anew.
    guard.step(10.5)
    guard.step(11.0, passed=verdicts(full=False))
    guard.step(12.0, passed={})
    assert guard.phase == "cooling"
    guard.step(13.0, passed={})
    assert (guard.phase, guard.probed) == ("probing", 0)


def test_probes_that_are_no_worse_lead_up() -> None:
    guard = fallen()
    at_s = climbed(guard, 10.0)
    assert (guard.rung, guard.phase, guard.climbs) == (0, "steady", 1)
    assert [move.kind for move in guard.moves] == ["fall", "climb"]
    assert at_s == 10.0


def test_where_nobody_asks_the_time_decides() -> None:
    guard = fallen()
    for _ in range(2):
        guard.step(10.0, passed={})
    assert guard.step(29.9) is None
    assert guard.step(30.0) is not None


@pytest.mark.parametrize(
    "tallies",
    [
        {0: RungTally(answers=5, failed=4)},
        {0: RungTally(5, 0, impressions=200, clicks=4), 1: RungTally(50, 0, impressions=900, clicks=90)},
    ],
)
def test_probes_that_are_worse_cool_down_again(tallies: dict[int, RungTally]) -> None:
    guard = fallen()
    for _ in range(2):
        guard.step(10.0, passed={})
    assert guard.step(15.0, tallies=tallies) is None
    assert (guard.phase, guard.cool_until_s) == ("cooling", 25.0)


def test_a_probed_rung_that_fails_its_check_is_left() -> None:
    guard = fallen()
    for _ in range(2):
        guard.step(10.0, passed={})
    guard.step(11.0, passed=verdicts(full=False))
    assert guard.phase == "cooling"


def test_one_rung_at_a_time() -> None:
    guard = fallen(retrieval=False)
    assert RUNGS[guard.rung] == "memory"
    for expected in ("retrieval", "full"):
        climbed(guard, 10.0)
        assert RUNGS[guard.rung] == expected


def test_a_rung_that_is_not_there_is_climbed_past() -> None:
    guard = fallen(retrieval=False, memory=False)
    for _ in range(CONFIG.checks_passed):
        guard.step(10.0, passed=verdicts(memory=False))
    assert guard.probed == RUNGS.index("retrieval")


def test_a_relapse_doubles_the_cool_down_up_to_the_limit() -> None:
    guard, ends = fallen(), []
    at_s = 0.0
    for _ in range(3):
        at_s = climbed(guard, guard.cool_until_s)
        guard.step(at_s + 1, alarms=[alarm()])
        ends.append(guard.cool_until_s - at_s - 1)
    assert ends == [20, 30, 30]
    at_s = climbed(guard, guard.cool_until_s)
    guard.step(at_s + 51, alarms=[alarm()])
    assert guard.cool_until_s - at_s - 51 == 10
    # Only so many moves are remembered.
    assert len(guard.moves) == 3


def test_a_forced_rung_stays_until_it_is_let_go() -> None:
    guard = Guard(CONFIG, RUNGS)
    move = guard.force("popular", 5.0)
    assert move is not None
    assert (move.kind, guard.phase) == ("forced", "forced")
    assert guard.step(6.0, alarms=[alarm()]) is None
    assert guard.renew(7.0) is None
    assert guard.force(None, 8.0) is None
    assert (guard.phase, guard.rung) == ("cooling", 4)
    with pytest.raises(ConfigError, match=r"no rung 'best'; the rungs are full, retrieval"):
        guard.force("best", 9.0)


def test_another_bundle_begins_at_the_top() -> None:
    guard = fallen()
    move = guard.renew(3.0)
    assert move is not None
    assert (move.kind, guard.rung, guard.phase) == ("new bundle", 0, "steady")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.booleans()] * 4, st.integers(0, 20)), max_size=60))
def test_the_rung_is_always_on_the_ladder_and_moves_go_the_way_they_say(
    steps: list[tuple[bool, bool, bool, bool, int]],
) -> None:
    guard, at_s = Guard(CONFIG, RUNGS), 0.0
    for alarmed, full, retrieval, memory, seconds in steps:
        at_s += seconds
        before = guard.rung
        passed = verdicts(full=full, retrieval=retrieval, memory=memory)
        move = guard.step(at_s, alarms=[alarm()] * alarmed, passed=passed, tallies={})
        assert 0 <= guard.rung < len(RUNGS)
        if move is not None and move.kind == "climb":
            assert guard.rung < before
        if move is not None and move.kind == "fall":
            assert guard.rung > before
