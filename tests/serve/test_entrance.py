from __future__ import annotations

from trifocal.serve.entrance import RUNGS, Entrance


def test_everybody_steps_on_at_the_rung_in_force() -> None:
    entrance = Entrance()
    entrance.open(3)
    assert [entrance.first() for _ in range(3)] == [3, 3, 3]
    assert entrance.rung == 3


def test_one_of_so_many_is_a_probe_until_there_are_none() -> None:
    entrance = Entrance()
    entrance.open(1, probed=0, every=4)
    assert [entrance.first() for _ in range(8)].count(0) == 2
    entrance.open(1)
    assert [entrance.first() for _ in range(8)] == [1] * 8


def test_the_names_of_the_rungs_are_those_of_the_gateway() -> None:
    assert RUNGS == ("full", "retrieval", "memory", "last", "popular")
