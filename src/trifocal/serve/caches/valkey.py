"""The shared level of a cache: bytes on a Valkey or Redis server. Every outage ends in a miss, never in an error."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from threading import Lock
from typing import cast

from redis import Redis

from trifocal.errors import ConfigError
from trifocal.ports import CacheStats
from trifocal.serve.caches.owed import OwedDrops
from trifocal.serve.caches.valkey_link import UnreachableError, ValkeyLink

__all__ = ["ValkeyCache"]

# Keys in one command: long enough to be few, short enough that the server's other clients do not wait for it.
_BATCH = 500


class ValkeyCache:
    """One kind of value on the server that a link leads to; safe to use from several threads. Stability: caller.

    A value that could not be written or dropped is owed: this process reads a miss until the server has dropped it, in
    the same round trip as the first call that gets through. Other processes may read the outdated value until then, or
    until its time to live ends, whichever comes first.
    """

    def __init__(
        self, link: ValkeyLink, *, prefix: str, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep nothing yet, and ask the server nothing.

        Args:
            link: the way to the server, shared with other caches.
            prefix: start of all keys of this cache; nothing else on the server may begin with it.
            ttl_s: seconds that the server keeps a value.
            clock: seconds, never going back.

        Raises:
            ConfigError: when the prefix is empty or the time to live is below a millisecond.
        """
        if not prefix or ttl_s < 0.001:
            raise ConfigError(
                f"a shared cache needs a prefix and 0.001 s to live or more, not {prefix!r} and {ttl_s} s"
            )
        self._link, self._prefix, self._ttl_ms = link, prefix, round(ttl_s * 1000)
        self._owed = OwedDrops(ttl_s, clock=clock)
        self._lock = Lock()
        self._counts = dict.fromkeys(("hits", "misses", "failures", "skipped"), 0)

    def get(self, key: str) -> bytes | None:
        """Return the value of `key`, or None where there is none or the server is away."""
        if self._owed.holds(key):
            self._count("skipped")
            return None
        try:
            value = cast("bytes | None", self._run(lambda client: client.get(self._name(key))))
        except UnreachableError as error:
            self._count_lost(error)
            return None
        self._count("misses" if value is None else "hits")
        return value

    def put(self, key: str, value: bytes) -> bool:
        """Keep `value` for the time to live; return whether the server has it."""
        return self._write(key, lambda client: client.set(self._name(key), value, px=self._ttl_ms))

    def drop(self, key: str) -> bool:
        """Forget `key`; return whether the server did."""
        return self._write(key, lambda client: client.unlink(self._name(key)))

    def drop_matching(self, prefix: str) -> bool:
        """Forget every key that starts with `prefix`: walks over all keys of the server, so not for every request."""
        try:
            for names in self._names_matching(self._name(prefix)):
                self._link.run(lambda client, names=names: client.unlink(*names))  # type: ignore[misc]
        except UnreachableError as error:
            self._count_lost(error)
            self._owed.add_all()
            return False
        return True

    def clear(self) -> bool:
        """Forget every key of this cache; other keys on the server stay."""
        return self.drop_matching("")

    def stats(self) -> tuple[CacheStats, ...]:
        """Return what this process saw of the server."""
        with self._lock:
            counts = dict(self._counts)
        return (
            CacheStats(
                "shared",
                hits=counts["hits"],
                misses=counts["misses"],
                failures=counts["failures"],
                skipped=counts["skipped"],
                is_available=self._link.is_available,
            ),
        )

    def _write(self, key: str, command: Callable[[Redis], object]) -> bool:
        try:
            self._run(command)
        except UnreachableError as error:
            self._count_lost(error)
            self._owed.add(key)
            return False
        return True

    def _run(self, command: Callable[[Redis], object]) -> object:
        """Return the reply to `command`; what is owed goes before it, in the same round trip."""
        owed = self._owed.some(_BATCH)
        names = [self._name(key) for key in owed]

        def call(client: Redis) -> object:
            if not names:
                return command(client)
            with client.pipeline(transaction=False) as pipeline:
                pipeline.unlink(*names)
                command(pipeline)
                return pipeline.execute()[-1]

        reply = self._link.run(call)
        self._owed.paid(owed)
        return reply

    def _names_matching(self, start: str) -> Iterator[list[bytes]]:
        pattern = re.sub(r"([\\*?\[\]^])", r"\\\1", start) + "*"
        cursor = 0
        while True:
            cursor, names = self._link.run(
                lambda client, cursor=cursor: client.scan(cursor, match=pattern, count=_BATCH)  # type: ignore[misc]
            )
            if names:
                yield list(names)
            if cursor == 0:
                return

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def _count_lost(self, error: UnreachableError) -> None:
        self._count("failures" if error.was_tried else "skipped")
