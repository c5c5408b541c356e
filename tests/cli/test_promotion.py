from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.train.small_world import trained, without_weights, world

from trifocal.bundle import read_bundle
from trifocal.cli import promotion
from trifocal.errors import ServingError

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[str | None]]:
    """Let a server answer; the list takes the keys that were sent."""

    def by(answer: Answer) -> list[str | None]:
        keys: list[str | None] = []

        def opened(address: str, *, key: str | None = None) -> httpx.Client:
            keys.append(key)
            return httpx.Client(base_url=address, transport=httpx.MockTransport(answer))

        monkeypatch.setattr(promotion, "open_http", opened)
        return keys

    return by


def test_the_bundle_in_the_place_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_weights(monkeypatch)
    first = trained(tmp_path / "a", world(days=27))
    second = trained(tmp_path / "b", world(days=28))
    place = tmp_path / "bundles" / "shop"
    for bundle in (first, second):
        promotion.put_in_place(bundle.folder, place)
        assert read_bundle(place).manifest.model_version == bundle.manifest.model_version
    assert first.manifest.model_version != second.manifest.model_version
    assert [path.name for path in place.parent.iterdir()] == ["shop"]


def test_a_server_is_told_the_path_and_says_what_it_serves(answered: Callable[[Answer], list[str | None]]) -> None:
    asked: list[tuple[str, str, dict[str, str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, json.loads(request.content)))
        return httpx.Response(200, json={"model_version": "v2", "previous": "v1"})

    keys = answered(answer)
    assert promotion.swap_in("http://shop:8000", "shop", "secret") == "v2"
    assert asked == [("POST", "/v1/bundle", {"path": "shop"})]
    assert keys == ["secret"]


def test_a_refusal_is_said_with_the_servers_words(answered: Callable[[Answer], list[str | None]]) -> None:
    answered(lambda _: httpx.Response(404, text="there is no bundle at 'shop'"))
    with pytest.raises(ServingError, match=r"http://shop:8000/v1/bundle answered 404: there is no bundle at 'shop'"):
        promotion.swap_in("http://shop:8000", "shop")


def test_a_server_that_is_away_is_said(answered: Callable[[Answer], list[str | None]]) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    answered(away)
    with pytest.raises(ServingError, match=r"does not answer /v1/health/report \(refused\); start it"):
        promotion.read_health("http://shop:8000")


def test_alarms_before_the_last_round_are_no_drift() -> None:
    report = {"alarms": [{"signal": "ctr", "at_s": 1.0}, {"signal": "unknown_items", "at_s": 5.0}]}
    assert promotion.drift_since(report, 0.0) == ["ctr", "unknown_items"]
    assert promotion.drift_since(report, 1.0) == ["unknown_items"]
    assert promotion.drift_since(report, 5.0) == []
    assert promotion.drift_since({}, 0.0) == []
    # No training makes a machine faster.
    assert promotion.drift_since({"alarms": [{"signal": "latency_p95", "at_s": 9.0}]}, 0.0) == []
