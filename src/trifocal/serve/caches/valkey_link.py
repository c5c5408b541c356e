"""One process's way to a Valkey or Redis server: short time limits, a circuit breaker, one log line an outage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

from trifocal.errors import ConfigError, ServingError
from trifocal.serve.caches.breaker import CircuitBreaker

try:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry
except ImportError as missing:
    raise ConfigError(f"the shared cache needs the package {missing.name}: pip install 'trifocal[cache]'") from None

__all__ = ["UnreachableError", "ValkeyLink"]

_LOGGER = logging.getLogger(__name__)

_Reply = TypeVar("_Reply")


class UnreachableError(ServingError):
    """The server failed just now, or is left alone after a failure; caught inside the caches. Stability: internal.

    Attributes:
        was_tried: whether the call was made at all.
    """

    def __init__(self, message: str, *, was_tried: bool) -> None:
        super().__init__(message)
        self.was_tried = was_tried


class ValkeyLink:
    """Runs commands on the server, or says at once that it is away; shared by all caches of a process.

    After a failure no call is made for the cool-down; then one call tries the server, and all use it again when it
    answers. Each outage is logged when it begins and when it ends. Safe to use from several threads. Stability: caller.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_ms: float = 20.0,
        cool_down_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; the server need not be there yet.

        Args:
            url: `redis://`, `valkey://`, `rediss://` (TLS) or `unix://`. Better an address than a
                name: no limit holds for looking it up.
            timeout_ms: how long a call waits: half of it for a connection where none is open, half for the reply.
                A password or a database other than 0 makes a new connection wait for one more reply each.
            cool_down_s: seconds that the server is left alone after a failure.
            clock: seconds, never going back.

        Raises:
            ConfigError: when the URL cannot be read.
        """
        half_s = timeout_ms / 2000
        try:
            self._client = Redis.from_url(
                url.replace("valkey", "redis", 1) if url.startswith("valkey") else url,
                socket_timeout=half_s,
                socket_connect_timeout=half_s,
                # A second try would double the wait; RESP 2 and no client name save round trips of a new connection.
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                driver_info=None,
            )
        except ValueError as error:
            # The URL may hold a password, so it is not printed.
            raise ConfigError(f"the URL of the shared cache cannot be used: {error}") from None
        self._name = _without_password(url)
        self._cool_down_s = cool_down_s
        self._breaker = CircuitBreaker(cool_down_s, clock=clock)
        self._lock = Lock()
        self._lost_calls = 0

    @property
    def is_available(self) -> bool:
        """Whether the last thing known of the server is an answer, or nothing is known."""
        return not self._breaker.is_open

    def run(self, call: Callable[[Redis], _Reply]) -> _Reply:
        """Return what `call` returns for the client.

        Raises:
            UnreachableError: when the call failed, or was not made because the server is left alone.
        """
        if not self._breaker.allows():
            self._count_lost()
            raise UnreachableError(f"the shared cache at {self._name} is left alone after a failure", was_tried=False)
        try:
            reply = call(self._client)
        except (RedisError, OSError) as error:
            self._count_lost()
            self._note_failure(error)
            raise UnreachableError(f"the shared cache at {self._name} failed: {error}", was_tried=True) from error
        if self._breaker.succeeded():
            self._note_return()
        return reply

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._client.connection_pool.disconnect()

    def _note_failure(self, error: Exception) -> None:
        if self._breaker.failed():
            _LOGGER.warning(
                "the shared cache at %s failed and is tried again every %g s; answers go on without it: %s",
                self._name,
                self._cool_down_s,
                error,
            )

    def _note_return(self) -> None:
        with self._lock:
            lost, self._lost_calls = self._lost_calls, 0
        _LOGGER.warning("the shared cache at %s is used again; %d calls went without it", self._name, lost)

    def _count_lost(self) -> None:
        with self._lock:
            self._lost_calls += 1


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
