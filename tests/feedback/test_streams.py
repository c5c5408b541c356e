from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from redis import Redis
from tests.contracts.event_source import EventSourceContract
from tests.contracts.event_store import stored_event
from tests.serve.caches.valkey_server import RealValkey

from trifocal.errors import ConfigError, ServingError
from trifocal.feedback import MemoryEventStore
from trifocal.feedback.consume import Consumed, consume
from trifocal.feedback.sql import SqlEventStore
from trifocal.feedback.streams import RedisStream
from trifocal.ports import EventBatch, EventSource, StoredEvent

KEY = "trifocal:events"


@pytest.fixture(scope="module")
def valkey() -> Iterator[RealValkey]:
    server = RealValkey()
    yield server
    server.close()


@pytest.fixture
def url(valkey: RealValkey) -> str:
    valkey.flush()
    return valkey.url


def send(url: str, *fields: dict[str, str | bytes]) -> list[str]:
    """Put messages with `fields` on the stream and return their ids."""
    with Redis.from_url(url) as client:
        return [client.xadd(KEY, one).decode() for one in fields]


def message(event: StoredEvent) -> dict[str, str | bytes]:
    given = {name: value for name, value in asdict(event).items() if value is not None}
    time_s = given.pop("timestamp_s")
    return {"json": json.dumps({**given, "timestamp": time_s})}


def rejects(url: str) -> list[dict[str, str]]:
    with Redis.from_url(url) as client:
        found = client.xrange(f"{KEY}:rejects")
    return [{name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()} for _, fields in found]


def pending(url: str) -> int:
    with Redis.from_url(url) as client:
        return int(client.xpending(KEY, "trifocal")["pending"])


class TestRedisStream(EventSourceContract):
    @pytest.fixture(autouse=True)
    def _server(self, url: str) -> None:
        self.url = url

    def write(self, events: Sequence[StoredEvent]) -> None:
        send(self.url, *(message(event) for event in events))

    def open(self) -> EventSource:
        return RedisStream(self.url, name="one")


def test_what_stood_on_the_stream_before_the_group_is_read(url: str) -> None:
    send(url, message(stored_event(1)))
    with closing(RedisStream(url)) as source:
        assert source.read().events == (stored_event(1),)


def test_a_message_without_id_and_time_gets_them_from_the_stream(url: str) -> None:
    (number,) = send(url, {"json": '{"user_id": "ann", "item_id": "shoe", "event": "click"}'})
    with closing(RedisStream(url)) as source:
        (event,) = source.read().events
    assert (event.event_id, event.timestamp_s) == (f"{KEY}:{number}", int(number.split("-")[0]) / 1000)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"other": "x"}, "there is no field 'json'"),
        ({"json": "{"}, "message: Invalid JSON"),
        ({"json": b"\xff\xfe"}, "message: Invalid JSON"),
        ({"json": '{"user_id": "ann", "event": "click"}'}, "item_id: Field required"),
        ({"json": '{"user_id": "ann", "item_id": "shoe", "event": "sniff"}'}, "event: Input should be"),
        ({"json": '{"user_id": "a\\u0000n", "item_id": "shoe", "event": "click"}'}, "user_id: String should match"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_reason(
    url: str, fields: dict[str, str | bytes], reason: str
) -> None:
    number, _ = send(url, fields, message(stored_event(1)))
    with closing(RedisStream(url)) as source:
        assert source.read().events == (stored_event(1),)
        assert source.rejected == 1
    (kept,) = rejects(url)
    assert reason in kept.pop("reject_reason")
    assert kept.pop("reject_id") == number
    assert list(kept) == list(fields)
    # Only the good one is left to be acknowledged.
    assert pending(url) == 1


def test_a_message_that_was_cut_before_it_was_stored_is_noted(url: str) -> None:
    send(url, message(stored_event(1)))
    with closing(RedisStream(url, name="one")) as source:
        source.read()
    with Redis.from_url(url) as client:
        client.xtrim(KEY, maxlen=0)
    with closing(RedisStream(url, name="one")) as again:
        assert again.read().events == ()
    assert "the stream was cut" in rejects(url)[0]["reject_reason"]
    assert pending(url) == 0


def test_what_a_dead_consumer_left_is_taken_over(url: str) -> None:
    send(url, *(message(stored_event(number)) for number in range(5)))
    with closing(RedisStream(url, name="dead", batch=3)) as dead:
        assert len(dead.read().events) == 3
    now = [0.0]
    with closing(RedisStream(url, name="other", batch=2, take_over_s=0.0, clock=lambda: now[0])) as other:
        seen: list[str] = []
        for _ in range(3):
            batch = other.read()
            seen += [event.event_id for event in batch.events]
            other.acknowledge(batch)
    assert seen == ["e0", "e1", "e2", "e3", "e4"]
    assert pending(url) == 0


def test_a_consumer_that_is_killed_between_store_and_acknowledge_stores_nothing_twice(url: str, tmp_path: Path) -> None:
    send(url, *(message(stored_event(number)) for number in range(4)))
    path = tmp_path / "events.sqlite"
    program = f"""
import os, signal
from trifocal.feedback.consume import consume
from trifocal.feedback.sql import SqlEventStore
from trifocal.feedback.streams import RedisStream
source = RedisStream({url!r}, batch=3)
source.acknowledge = lambda batch: os.kill(os.getpid(), signal.SIGKILL)
consume(source, SqlEventStore({str(path)!r}), is_over=lambda batch: False)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert pending(url) == 3
    with closing(SqlEventStore(path)) as store, closing(RedisStream(url, batch=3)) as source:
        assert store.count() == 3
        done = consume(source, store, is_over=lambda batch: not batch.events)
        assert done == Consumed(stored=1, known=3)
        assert [event.event_id for _, event in store.after(0, 9)] == ["e0", "e1", "e2", "e3"]
    assert pending(url) == 0


def test_a_server_that_is_away_is_one_error_and_nothing_is_lost(url: str, valkey: RealValkey) -> None:
    with pytest.raises(ServingError, match=r"'trifocal:events' cannot be read \(ConnectionError"):
        RedisStream("redis://127.0.0.1:1/0")
    with pytest.raises(ConfigError, match="give redis://HOST:PORT/DATABASE") as caught:
        RedisStream("http://user:hunter2@host")
    assert "hunter2" not in str(caught.value)


class Canned:
    """A source of given batches, then empty ones; notes what the store held at each acknowledgement."""

    def __init__(self, store: MemoryEventStore, *batches: tuple[StoredEvent, ...]) -> None:
        self._store, self._batches = store, list(batches)
        self.held: list[int] = []

    def read(self) -> EventBatch:
        return EventBatch(self._batches.pop(0)) if self._batches else EventBatch()

    def acknowledge(self, batch: EventBatch) -> None:
        self.held.append(self._store.count())

    def close(self) -> None:
        pass


def test_a_batch_is_stored_before_it_is_acknowledged() -> None:
    store = MemoryEventStore()
    source = Canned(store, (stored_event(1), stored_event(2)), (stored_event(2), stored_event(3)))
    assert consume(source, store, is_over=lambda batch: not batch.events) == Consumed(stored=3, known=1)
    assert source.held == [2, 3, 3]


def test_what_a_forgotten_user_did_is_not_stored_late() -> None:
    store = MemoryEventStore()
    source = Canned(store, (stored_event(1), stored_event(5), stored_event(2, "ben")))
    done = consume(source, store, forgotten=lambda: {"ann": 3.0}, is_over=lambda batch: not batch.events)
    assert done == Consumed(stored=2, forgotten=1)
    assert [event.event_id for _, event in store.after(0, 9)] == ["e5", "e2"]
