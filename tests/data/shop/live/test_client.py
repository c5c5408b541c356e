from __future__ import annotations

import httpx
import pytest
from tests.data.shop.live.small_server import SmallServer, small_world

from trifocal.data.shop.live import ShopClient, open_http
from trifocal.errors import ConfigError, ServingError

WORLD = small_world()


def test_a_list_says_what_events_carry_back() -> None:
    shown = SmallServer(WORLD).client().recommend({"user_id": "u", "k": 2})
    assert [item.item_id for item in shown.items] == ["item-00001", "item-00002"]
    assert [item.propensity for item in shown.items] == [0.5, 0.5]
    assert (shown.answer_id, shown.model_version, shown.variant, shown.rung) == ("a1", "m1", "main", "full")


def test_a_full_server_is_asked_again_after_the_time_that_it_names() -> None:
    server = SmallServer(WORLD)
    server.refuse = 3
    client = server.client()
    assert client.check() == "m1"
    assert (client.refused, server.slept) == (3, [2.0, 2.0, 2.0])
    server.refuse = 99
    with pytest.raises(ServingError, match="/readyz was refused 8 times"):
        client.check()


def test_a_failure_is_told_with_the_words_of_the_server() -> None:
    server = SmallServer(WORLD)
    server.broken = True
    with pytest.raises(ServingError, match="/v1/search answered 500: the vectors are gone"):
        server.client().search("mug", 3)


def test_a_server_that_is_not_there_is_said() -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    http = httpx.Client(transport=httpx.MockTransport(gone), base_url="http://shop.test")
    with pytest.raises(ServingError, match=r"http://shop\.test does not answer /readyz \(connection refused\)"):
        ShopClient(http).check()


def test_an_answer_that_is_no_object_is_another_server() -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=[])), base_url="http://a.test")
    with pytest.raises(ServingError, match="is this a Trifocal server"):
        ShopClient(http).check()


def test_the_key_is_sent_and_redirects_are_not_followed() -> None:
    with open_http("http://127.0.0.1:1", key="secret-secret-secret") as http:
        assert http.headers["x-api-key"] == "secret-secret-secret"
        assert not http.follow_redirects
        assert not http.trust_env
    with pytest.raises(ConfigError, match=r"'127\.0\.0\.1:8000' is no address of a server"):
        open_http("127.0.0.1:8000")
