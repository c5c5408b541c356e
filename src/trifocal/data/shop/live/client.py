"""The simulation's way to the server: asks for lists, tells events, waits where it is turned away.

One connection a thread, kept alive. It goes to the address that it was given and nowhere else: no redirect is
followed, no proxy of the environment is used.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from trifocal.errors import ConfigError, ServingError

if TYPE_CHECKING:
    import httpx

__all__ = ["ShopClient", "Shown", "ShownList", "open_http"]

_TRIES_MOST = 8
# A server that says "later" without a time, and one that asks for patience without end.
_WAIT_S, _WAIT_MOST_S = 0.2, 5.0
_TOO_MANY, _SERVER_FAULT = 429, 500
_LIMIT_S = 30.0


@dataclass(frozen=True)
class Shown:
    """An item of a list, and the chance that it stood at its place; None = the server does not say."""

    item_id: str
    propensity: float | None


@dataclass(frozen=True)
class ShownList:
    """A list that the server answered, and what events of it carry back.

    Attributes:
        latency_ms: of the request, without what was waited after refusals.
    """

    items: tuple[Shown, ...]
    answer_id: str | None
    model_version: str | None
    variant: str | None
    rung: str | None
    latency_ms: float


class ShopClient:
    """Requests to one server. Safe to use from several threads. Stability: caller."""

    def __init__(self, http: httpx.Client, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take a client that knows the address; `sleep` waits so many seconds."""
        self._http, self._sleep = http, sleep
        self._lock = threading.Lock()
        self._refused = 0

    @property
    def refused(self) -> int:
        """How often the server said "too many requests"."""
        return self._refused

    def check(self) -> str:
        """Return the model version of the server.

        Raises:
            ServingError: when nothing answers there, or the server is not ready.
        """
        answer, _ = self._request("GET", "/readyz")
        return str(answer.get("model_version", ""))

    def recommend(self, body: Mapping[str, object]) -> ShownList:
        """Return the recommendations for `body`.

        Raises:
            ServingError: when the server cannot or will not answer.
        """
        return _shown(*self._request("POST", "/v1/recommend", json=body))

    def search(self, words: str, k: int) -> ShownList:
        """Return the `k` best items for `words`.

        Raises:
            ServingError: when the server cannot or will not answer.
        """
        return _shown(*self._request("GET", "/v1/search", params={"q": words, "k": k}))

    def tell(self, events: Sequence[Mapping[str, object]]) -> int:
        """Store `events`; return how many were new.

        Raises:
            ServingError: when the server cannot or will not store them.
        """
        answer, _ = self._request("POST", "/v1/events", json={"events": list(events)})
        return int(cast("int", answer["stored"]))

    def put_item(self, item_id: str, body: Mapping[str, object]) -> None:
        """Add an item, or put it in the place of the one of this id.

        Raises:
            ServingError: when the server cannot or will not keep it.
        """
        self._request("PUT", f"/v1/items/{item_id}", json=body)

    def _request(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> tuple[dict[str, object], float]:
        """Return the answer and its milliseconds; wait and ask again where the server is full."""
        import httpx

        for _ in range(_TRIES_MOST):
            begun = time.perf_counter()
            try:
                answer = self._http.request(method, path, json=json, params=params)
            except httpx.HTTPError as error:
                raise ServingError(
                    f"{self._http.base_url} does not answer {path} ({error or type(error).__name__}); "
                    "start it with `trifocal serve`"
                ) from error
            if answer.status_code != _TOO_MANY:
                return _read(answer), 1000 * (time.perf_counter() - begun)
            with self._lock:
                self._refused += 1
            self._sleep(_wait_s(answer.headers.get("retry-after")))
        raise ServingError(f"{path} was refused {_TRIES_MOST} times (429); visit with fewer threads, see --concurrency")


def open_http(address: str, *, key: str | None = None, connections: int = 1) -> httpx.Client:
    """Return a client for `address`; the caller closes it.

    Raises:
        ConfigError: when it is no http(s) address, or the package for it is missing.
    """
    try:
        import httpx
    except ImportError as missing:
        raise ConfigError("visiting a server needs the package httpx: pip install 'trifocal[serve]'") from missing
    if not address.startswith(("http://", "https://")):
        raise ConfigError(f"{address!r} is no address of a server; write it as http://127.0.0.1:8000")
    return httpx.Client(
        base_url=address,
        headers={"x-api-key": key} if key else {},
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        timeout=_LIMIT_S,
        follow_redirects=False,
        trust_env=False,
    )


def _read(answer: httpx.Response) -> dict[str, object]:
    if not answer.is_success:
        raise ServingError(f"{answer.url.path} answered {answer.status_code}: {answer.text[:300]}")
    found = answer.json()
    if not isinstance(found, dict):
        raise ServingError(f"{answer.url.path} answered {answer.text[:100]!r}, no object; is this a Trifocal server?")
    return found


def _wait_s(retry_after: str | None) -> float:
    """Return how long to wait, at most `_WAIT_MOST_S`.

    >>> [_wait_s(value) for value in ("1", None, "3600", "Fri, 31 Dec 1999 23:59:59 GMT")]
    [1.0, 0.2, 5.0, 0.2]
    """
    try:
        return min(max(float(retry_after or _WAIT_S), 0.0), _WAIT_MOST_S)
    except ValueError:
        return _WAIT_S


def _shown(answer: Mapping[str, object], latency_ms: float) -> ShownList:
    items = cast("list[dict[str, object]]", answer["items"])
    return ShownList(
        items=tuple(Shown(str(item["item_id"]), cast("float | None", item.get("propensity"))) for item in items),
        answer_id=_text(answer, "answer_id"),
        model_version=_text(answer, "model_version"),
        variant=_text(answer, "variant"),
        rung=_text(answer, "rung"),
        latency_ms=latency_ms,
    )


def _text(answer: Mapping[str, object], name: str) -> str | None:
    found = answer.get(name)
    return None if found is None else str(found)
