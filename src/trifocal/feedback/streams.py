"""Redis Streams as a source of events: a consumer group on a Redis or Valkey server.

```
STREAM          field `json`: one event of POST /v1/events
STREAM:rejects  messages that cannot be used, as they were, with `reject_reason` and `reject_id`
```

A message is acknowledged once its event is durable. Until then the server keeps it as pending: a consumer that died
gets it again under its name, and another one takes it over after a while. What comes twice has one event id, and counts
once.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from trifocal.errors import ConfigError, DataError, ServingError
from trifocal.feedback.messages import event_of
from trifocal.ports import EventBatch, StoredEvent

try:
    from redis import Redis
    from redis.exceptions import RedisError, ResponseError
except ImportError as missing:
    raise ConfigError(f"a stream of events needs the package {missing.name}: pip install 'trifocal[cache]'") from None

__all__ = ["RedisStream"]

_FIELD = b"json"
_WAIT_MS = 1000
# Longer than the server waits for messages.
_TIMEOUT_S = 10.0

_Message = tuple[bytes, Mapping[bytes, bytes] | None]


class RedisStream:
    """Reads one stream as one consumer of a group; for one thread. Stability: caller."""

    def __init__(
        self,
        url: str,
        *,
        stream: str = "trifocal:events",
        group: str = "trifocal",
        name: str | None = None,
        batch: int = 500,
        take_over_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Join the group, which reads the stream from its beginning; it is made where it is not there.

        Args:
            url: `redis://USER:PASSWORD@HOST:PORT/DATABASE`.
            stream: key of the stream; `:rejects` behind it is where the unusable go.
            group: all consumers of one store have one group, each message goes to one of them.
            name: of this consumer, the same after a restart; None = the name of the machine.
            batch: messages read at once at most.
            take_over_s: what another consumer has not acknowledged for so long is read here.
            clock: seconds, never going back.

        Raises:
            ConfigError: when the address is none of Redis.
            ServingError: when the server cannot be asked.
        """
        try:
            self._client = Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
        # The error may quote the address, and with it a password.
        except ValueError:
            raise ConfigError("the address of the stream cannot be read; give redis://HOST:PORT/DATABASE") from None
        self._stream, self._group, self._name = stream, group, name or socket.gethostname()
        self._rejects = f"{stream}:rejects"
        self._batch, self._take_over_s, self._clock = batch, take_over_s, clock
        self._has_pending, self._looked_at = True, clock()
        self.rejected = 0
        self._ask(self._join)

    def read(self) -> EventBatch:
        """Return what comes next, empty where nothing came for a second; what cannot be used went to the rejects.

        What this consumer has read before and not acknowledged comes first.

        Raises:
            ServingError: when the server cannot be asked.
        """
        messages = self._ask(self._next)
        events: list[StoredEvent] = []
        receipts: list[str] = []
        for message_id, fields in messages:
            try:
                event = self._event(message_id, fields)
            except DataError as error:
                self._reject(message_id, fields, str(error))
                continue
            events.append(event)
            receipts.append(message_id.decode())
        return EventBatch(tuple(events), tuple(receipts))

    def acknowledge(self, batch: EventBatch) -> None:
        """Never give the messages of `batch` again.

        Raises:
            ServingError: when the server cannot be asked; the messages come again.
        """
        if batch.receipts:
            self._ask(lambda: self._client.xack(self._stream, self._group, *batch.receipts))

    def close(self) -> None:
        """Close the connection; what is pending stays so."""
        self._client.close()

    def _join(self) -> None:
        try:
            self._client.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            # Another consumer was here before.
            if "BUSYGROUP" not in str(error):
                raise

    def _next(self) -> list[_Message]:
        if self._has_pending:
            if pending := self._read("0"):
                return pending
            self._has_pending = False
        if self._clock() - self._looked_at >= self._take_over_s:
            self._looked_at = self._clock()
            if abandoned := self._abandoned():
                # There may be more than one batch of it.
                self._looked_at -= self._take_over_s
                return abandoned
        return self._read(">")

    def _read(self, after: str) -> list[_Message]:
        answer = self._client.xreadgroup(
            self._group, self._name, {self._stream: after}, count=self._batch, block=_WAIT_MS
        )
        found = cast("list[tuple[bytes, list[_Message]]]", answer)
        return [message for _, messages in found or [] for message in messages]

    def _abandoned(self) -> list[_Message]:
        answer = self._client.xautoclaim(
            self._stream, self._group, self._name, round(self._take_over_s * 1000), count=self._batch
        )
        return cast("list[_Message]", answer[1])

    def _event(self, message_id: bytes, fields: Mapping[bytes, bytes] | None) -> StoredEvent:
        if not fields:
            raise DataError("the stream was cut before the message was stored; keep more of it")
        if _FIELD not in fields:
            raise DataError(f"there is no field {_FIELD.decode()!r}; put one event of POST /v1/events there")
        # The time at which the server took it, in milliseconds.
        written_s = int(message_id.partition(b"-")[0]) / 1000
        given = f"{self._stream}:{message_id.decode()}"
        return event_of(fields[_FIELD], event_id=given, timestamp_s=written_s)

    def _reject(self, message_id: bytes, fields: Mapping[bytes, bytes] | None, reason: str) -> None:
        kept: dict[Any, Any] = {**(fields or {}), b"reject_reason": reason, b"reject_id": message_id}

        def move() -> None:
            # Both or none: a message is never in neither place.
            with self._client.pipeline(transaction=True) as both:
                both.xadd(self._rejects, kept)
                both.xack(self._stream, self._group, message_id)
                both.execute()

        self._ask(move)
        self.rejected += 1

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except (RedisError, OSError) as error:
            raise ServingError(
                f"the stream {self._stream!r} cannot be read ({type(error).__name__}: {error}); check its server, "
                "then start again: nothing is lost"
            ) from error
