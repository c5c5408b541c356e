from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from trifocal.serve.storefront.visitors import Visitor, visitor_of

OWN = "visitor-0123456789abcdef"


def asked(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", f"visitor={cookie}".encode())]})


def test_the_browsers_own_visitor_needs_no_name() -> None:
    visitor = visitor_of(asked(OWN))
    assert (visitor.user_id, visitor.named, visitor.feed("Home", 2)) == (OWN, None, "/?section=Home&page=2")
    assert visitor_of(asked(OWN), OWN).is_own


def test_a_shopper_is_named_in_every_address_and_in_no_cookie() -> None:
    visitor, answer = visitor_of(asked(OWN), "ann"), Response()
    visitor.remember(answer)
    assert (visitor.named, visitor.feed()) == ("ann", "/shopper?id=ann")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["ann", OWN + "0", "visitor-../x", ""])
def test_a_cookie_of_another_hand_is_replaced(cookie: str) -> None:
    visitor, answer = visitor_of(asked(cookie)), Response()
    assert visitor.is_new
    visitor.remember(answer)
    assert answer.headers["set-cookie"].startswith(f"visitor={visitor.user_id}; HttpOnly; Path=/; SameSite=lax")


def test_nobody_gets_the_same_id_twice() -> None:
    assert Visitor.new().user_id != Visitor.new().user_id
