from __future__ import annotations

import numpy as np

from trifocal.serve.last_lists import LastLists
from trifocal.types import Context, History, Rankings, Request, UserId


def request(user: str | None, *exclude: int) -> Request:
    return Request(History(), Context(), np.array(exclude, np.int64), None if user is None else UserId(user))


def ranking(*rows: int) -> Rankings:
    return Rankings(np.array([rows]), np.zeros((1, len(rows)), np.float32))


def test_the_last_list_comes_back_without_what_is_excluded_now() -> None:
    lists = LastLists()
    lists.keep(request("ann"), ranking(4, 2, 7, -1))
    lists.keep(request("ann"), ranking(5, 2, 7, -1))
    found = lists.list(request("ann", 2), 5)
    assert found.item_rows.tolist() == [[5, 7]]
    assert found.scores[0, 0] > found.scores[0, 1]
    assert lists.list(request("ann"), 1).item_rows.tolist() == [[5]]


def test_who_has_none_gets_an_empty_list() -> None:
    lists = LastLists()
    lists.keep(request(None), ranking(1))
    assert lists.list(request(None), 3).item_rows.shape == (1, 0)
    assert lists.list(request("ben"), 3).item_rows.shape == (1, 0)


def test_only_so_many_are_kept_and_a_deleted_user_is_not() -> None:
    lists = LastLists(kept=2)
    for user in ("a", "b", "c"):
        lists.keep(request(user), ranking(1))
    lists.forget("c")
    kept = {user for user in ("a", "b", "c") if lists.list(request(user), 1).item_rows.size}
    assert kept == {"b"}


def test_a_confirmed_list_outlives_those_of_a_broken_model() -> None:
    lists = LastLists()
    lists.keep(request("ann"), ranking(1, 2))
    lists.confirm()
    lists.keep(request("ann"), ranking(8, 9))
    assert lists.list(request("ann"), 2).item_rows.tolist() == [[8, 9]]
    assert lists.drop_new() == 1
    assert lists.list(request("ann"), 2).item_rows.tolist() == [[1, 2]]
    lists.forget("ann")
    assert lists.list(request("ann"), 2).item_rows.size == 0


def test_a_list_is_kept_as_long_as_an_answer_can_be() -> None:
    lists = LastLists()
    lists.keep(request("ann"), ranking(*range(150)))
    assert lists.list(request("ann", *range(10)), 1000).item_rows.tolist() == [list(range(10, 100))]
