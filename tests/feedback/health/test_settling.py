from __future__ import annotations

from trifocal.feedback.health import Settled, Settling
from trifocal.ports import StoredEvent


def event(kind: str, item: str, answer: str | None = "a1", user: str = "ann") -> StoredEvent:
    return StoredEvent("", user, item, kind, 0.0, answer_id=answer, variant="main", rung="full", session_id="s")


def shown(*items: str, answer: str | None = "a1", user: str = "ann") -> list[StoredEvent]:
    return [event("impression", item, answer, user) for item in items]


def test_an_answer_is_settled_whole_when_its_wait_is_over() -> None:
    settling = Settling(wait_s=10)
    assert settling.take([*shown("x", "y", "z"), event("click", "y")], 100.0) == []
    assert settling.due(109.9) == []
    assert settling.due(110.0) == [Settled("main", "full", (0, 1, 0))]
    assert len(settling) == 0


def test_the_next_answer_of_the_same_user_settles_the_one_before() -> None:
    settling = Settling(wait_s=10)
    settling.take(shown("x", "y"), 0.0)
    assert settling.take(shown("x", answer="b1", user="ben"), 0.0) == []
    assert settling.take(shown("z", answer="a2"), 0.0) == [Settled("main", "full", (0, 0))]


def test_a_late_click_counts_once() -> None:
    settling = Settling(wait_s=10)
    settling.take(shown("x", "y"), 0.0)
    settling.due(10.0)
    assert settling.take([event("click", "x")], 11.0) == [Settled("main", "full", (1,))]
    assert settling.take([event("click", "x"), event("click", "never-shown")], 11.0) == []


def test_without_an_answer_id_the_session_stands_in() -> None:
    settling = Settling(wait_s=10)
    settling.take(shown("x", "x", "y", answer=None), 0.0)
    settling.take([event("click", "y", None), event("cart", "x", None)], 0.0)
    assert settling.due(10.0) == [Settled("main", "full", (0, 1))]


def test_only_so_many_are_held() -> None:
    settling = Settling(wait_s=10, most=2)
    early = [settling.take(shown("x", answer=f"a{n}", user=f"u{n}"), 0.0) for n in range(3)]
    assert [len(found) for found in early] == [0, 0, 1]
    assert len(settling) == 2
