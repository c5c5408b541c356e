"""The requests of the benchmark, as each service wants them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import quote

from benchmarks.latency.load import Ask

__all__ = ["MIXED_SHARES", "K", "Users", "als_asks", "mixed_asks", "trifocal_asks", "upsert"]

K = 10
MIXED_SHARES = {"recommend": 0.70, "events": 0.17, "search": 0.10, "upsert": 0.03}
_WORDS = ("red dress", "blue coat", "wool scarf", "leather boot", "black bag", "linen shirt", "glass lamp", "oak chair")
# New items are put again and again under these ids: an upsert is mostly an update, and a catalogue does not double.
_NEW_ITEMS = 200


class Users:
    """Hands out users of a catalogue, none of them twice, so that no cache of answers is of any use."""

    def __init__(self, user_ids: Sequence[str]) -> None:
        self._left: Iterator[str] = iter(user_ids)

    def take(self, count: int) -> list[str]:
        """Return up to `count` users that were not handed out yet; fewer where they run out."""
        return list(islice(self._left, count))


def trifocal_asks(user_ids: Sequence[str]) -> list[Ask]:
    """Return one recommendation a user of Trifocal."""
    return [Ask("recommend", "POST", "/v1/recommend", json.dumps({"user_id": user, "k": K})) for user in user_ids]


def als_asks(user_ids: Sequence[str]) -> list[Ask]:
    """Return one recommendation a user of the rival."""
    return [Ask("recommend", "POST", "/recommend", json.dumps({"user_id": user, "k": K})) for user in user_ids]


def mixed_asks(user_ids: Sequence[str], item_ids: Sequence[str], count: int, seed: int, *, upserts: bool) -> list[Ask]:
    """Return `count` requests by `MIXED_SHARES`, drawn by `seed`; without `upserts` where the server has none."""
    draw = random.Random(seed)
    shares = {kind: share for kind, share in MIXED_SHARES.items() if upserts or kind != "upsert"}
    kinds = draw.choices(list(shares), list(shares.values()), k=count)
    return [_ask(kind, place, draw.choice(user_ids), draw.choice(item_ids), draw) for place, kind in enumerate(kinds)]


def upsert(item_id: str, title: str) -> Ask:
    """Return the request that puts an item."""
    body = {"title": title, "description": f"{title}, just in.", "category": "Shop > New", "price": 19.5}
    return Ask("upsert", "PUT", f"/v1/items/{quote(item_id, safe='')}", json.dumps(body))


def _ask(kind: str, place: int, user_id: str, item_id: str, draw: random.Random) -> Ask:
    if kind == "recommend":
        return trifocal_asks([user_id])[0]
    if kind == "search":
        words = quote(f"{draw.choice(_WORDS)} {draw.randrange(100)}")
        return Ask(kind, "GET", f"/v1/search?q={words}&k={K}")
    if kind == "upsert":
        return upsert(f"new-{place % _NEW_ITEMS:04d}", f"New thing {place % _NEW_ITEMS}")
    events = [{"user_id": user_id, "item_id": item_id, "event": draw.choice(("click", "purchase"))}]
    return Ask(kind, "POST", "/v1/events", json.dumps({"events": events}))
