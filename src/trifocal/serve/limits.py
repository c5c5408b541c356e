"""How much may be sent: size of a body, requests a second. ASGI middleware in front of everything that reads.

```
too many of this key or address ─► 429      Content-Length too large ─► 413      chunks add up to too much ─► 413
```
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trifocal.errors import TrifocalError
from trifocal.serve.access_config import AccessConfig
from trifocal.serve.failures import failure
from trifocal.serve.keys import Keys, given_key
from trifocal.serve.statuses import OverloadedError, TooLargeError

__all__ = ["Limits", "TokenBuckets"]

# Where a picture may come: search by picture, an item with its picture.
_PICTURE_PATHS = ("/v1/search", "/v1/items/", "/search")
# What a load balancer, a scraper or a page with its pictures asks for is not counted.
_UNCOUNTED = ("/healthz", "/readyz", "/metrics", "/static/", "/images/")


class TokenBuckets:
    """Requests a second by client, with a burst; bounded memory. Used from one event loop. Stability: internal."""

    def __init__(
        self, rate_per_s: float, burst: int, *, clients: int = 20_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with full buckets.

        Args:
            rate_per_s: requests a second for long; 0 = any number.
            burst: requests at once.
            clients: how many are remembered; who was quiet longest is forgotten, and starts anew.
            clock: seconds, never going back.
        """
        self._rate, self._burst, self._clients, self._clock = rate_per_s, float(burst), clients, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Return 0 where `client` may send a request now, else the seconds until it may."""
        if self._rate <= 0:
            return 0.0
        now_s = self._clock()
        left, since_s = self._buckets.pop(client, (self._burst, now_s))
        left = min(self._burst, left + (now_s - since_s) * self._rate)
        allowed = left >= 1
        self._buckets[client] = (left - 1 if allowed else left, now_s)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate

    def __len__(self) -> int:
        return len(self._buckets)


class Limits:
    """ASGI middleware that refuses what is too much before anything reads it. Stability: internal."""

    def __init__(self, app: ASGIApp, config: AccessConfig, keys: Keys, refused: Callable[[str], None]) -> None:
        """Take the bounds; `refused` is told the reason of each refusal."""
        self._app, self._config, self._keys, self._refused = app, config, keys, refused
        self._buckets = TokenBuckets(config.rate_per_s, config.rate_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = self._most_bytes(scope["path"])
        refusal = self._rate_refusal(scope, headers) or _size_refusal(headers, most)
        if refusal is not None:
            self._refused(refusal.reason if isinstance(refusal, OverloadedError) else "size")
            answer = failure(refusal)
            # What was not read would be taken for the next request.
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, self._bounded(receive, most), send)

    def _most_bytes(self, path: str) -> int:
        return self._config.picture_bytes if path.startswith(_PICTURE_PATHS) else self._config.body_bytes

    def _rate_refusal(self, scope: Scope, headers: Headers) -> OverloadedError | None:
        if self._config.rate_per_s <= 0 or scope["path"].startswith(_UNCOUNTED):
            return None
        wait_s = self._buckets.take(self._client(scope, headers))
        if wait_s <= 0:
            return None
        return OverloadedError(
            f"more than {self._config.rate_per_s:g} requests a second, and {self._config.rate_burst} at once, "
            f"came from here; try again in {wait_s:.1f} s",
            reason="rate",
            retry_after_s=wait_s,
        )

    def _client(self, scope: Scope, headers: Headers) -> str:
        """A key that is known, else the address: keys that are made up do not count as clients of their own."""
        key = given_key(headers)
        if key is not None and self._keys.scope_of(key) is not None:
            return f"key {key}"
        return _network(scope["client"][0] if scope.get("client") else "")

    def _bounded(self, receive: Receive, most: int) -> Receive:
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                self._refused("size")
                # Of the framework's own kind: it lets no other one through from the reading of a body.
                raise HTTPException(413, _too_large(taken, most), headers={"Connection": "close"})
            return message

        return bounded


def _size_refusal(headers: Headers, most: int) -> TrifocalError | None:
    length = headers.get("content-length", "")
    # What is no number is the server's to refuse.
    if not (length.isascii() and length.isdigit()) or int(length[:20]) <= most:
        return None
    return TooLargeError(_too_large(int(length[:20]), most))


def _too_large(size: int, most: int) -> str:
    return f"the body has {size:,} bytes or more, the limit is {most:,}; send less at a time"


def _network(address: str) -> str:
    """The address, or the 64-bit network of one of IPv6: whoever has one address there has all of them.

    >>> _network("10.1.2.3"), _network("2001:db8:1:2:3:4:5:6"), _network("testclient")
    ('10.1.2.3', '2001:db8:1:2::/64', 'testclient')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
