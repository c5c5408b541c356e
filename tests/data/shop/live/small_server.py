"""A small shop in memory, and a server of it in memory that keeps what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import numpy as np

from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.generate import simulate
from trifocal.data.shop.live import ShopClient, World

CONFIG = ShopConfig(products=60, shoppers=20, days=14)


def small_world() -> World:
    """Return the shop."""
    utility, _, _ = simulate(CONFIG)
    items = tuple(f"item-{row:05d}" for row in range(1, 61))
    return World(utility, tuple(f"user-{row:05d}" for row in range(1, 21)), items, CONFIG)


class SmallServer:
    """Shows each shopper the products by true utility, a stranger in order; refuses or fails where it is told to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.events: dict[str, dict[str, object]] = {}
        self.refuse = 0
        self.broken = False
        self.slept: list[float] = []

    def client(self) -> ShopClient:
        """Return a client of this server; it does not really sleep."""
        http = httpx.Client(transport=httpx.MockTransport(self.answer), base_url="http://shop.test")
        return ShopClient(http, sleep=self.slept.append)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.refuse:
            self.refuse -= 1
            return httpx.Response(429, headers={"retry-after": "2"})
        if self.broken:
            return httpx.Response(500, text="the vectors are gone")
        body: dict[str, object] = json.loads(request.content) if request.content else dict(request.url.params)
        self.asked.append((request.url.path, body))
        return self._routes()[request.url.path](body)

    def _routes(self) -> dict[str, Callable[[dict[str, object]], httpx.Response]]:
        return {
            "/readyz": lambda _: httpx.Response(200, json={"status": "ready", "model_version": "m1"}),
            "/v1/recommend": lambda body: self._list(body, "full"),
            "/v1/search": lambda body: self._list(body, "text"),
            "/v1/events": self._store,
        }

    def _list(self, body: dict[str, object], rung: str) -> httpx.Response:
        excluded = body.get("exclude") or []
        assert isinstance(excluded, list)
        left = [item for item in self._ordered(str(body.get("user_id"))) if item not in excluded][: int(str(body["k"]))]
        answer = {"answer_id": f"a{len(self.asked)}", "model_version": "m1", "variant": "main", "rung": rung}
        items = [{"item_id": item, "score": 1.0, "propensity": 0.5} for item in left]
        return httpx.Response(200, json={**answer, "items": items, "notes": []})

    def _ordered(self, user_id: str) -> list[str]:
        if user_id not in self.world.user_ids:
            return list(self.world.item_ids)
        user, items = np.array([self.world.user_ids.index(user_id)]), np.arange(len(self.world.item_ids))
        value = self.world.utility.block(user, np.array([float(self.world.utility.days)]), items)[0]
        return [self.world.item_ids[row] for row in np.argsort(-value)]

    def _store(self, body: dict[str, object]) -> httpx.Response:
        told = body["events"]
        assert isinstance(told, list)
        new = {event["event_id"]: event for event in told if event["event_id"] not in self.events}
        self.events |= new
        return httpx.Response(200, json={"stored": len(new), "ignored": len(told) - len(new)})
