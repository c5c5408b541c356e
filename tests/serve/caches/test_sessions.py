from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.serve.caches.clock import ManualClock
from tests.serve.caches.valkey_server import RealValkey

from trifocal.errors import ConfigError
from trifocal.ports import Cache
from trifocal.serve.caches import MemoryCache, SessionCache
from trifocal.serve.caches.sessions import HISTORY_OVERHEAD_BYTES
from trifocal.serve.caches.valkey import ValkeyCache
from trifocal.serve.caches.valkey_link import ValkeyLink
from trifocal.types import History


class Events:
    """The truth: rows by shopper. `meanwhile` happens after it was read and before the reader has what it read."""

    def __init__(self) -> None:
        self.rows: dict[str, list[int]] = {}
        self.reads = 0
        self.meanwhile: Callable[[], object] | None = None

    def load(self, user_id: str) -> History:
        self.reads += 1
        history = History.of_rows(list(self.rows.get(user_id, [])))
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return history


class Process:
    """One process of several on the same events."""

    def __init__(self, events: Events, cache: SessionCache) -> None:
        self.events, self.cache = events, cache

    def rows(self, user_id: str = "ann") -> list[int]:
        history = self.cache.history(user_id, lambda: self.events.load(user_id))
        return [int(row) for row in history.item_rows]

    def record(self, row: int, user_id: str = "ann") -> None:
        self.events.rows.setdefault(user_id, []).append(row)
        self.cache.changed([user_id])


def process(
    events: Events,
    shared: Cache | None,
    *,
    model_version: str = "m1",
    config: str = "c1",
    clock: ManualClock | None = None,
    limit_bytes: int = 100_000,
    shared_rows: int | None = None,
) -> Process:
    cache = SessionCache(
        limit_bytes,
        shared=shared,
        model_version=model_version,
        config_hash=config,
        shared_rows=shared_rows,
        fresh_s=1.0,
        clock=clock or ManualClock(),
    )
    return Process(events, cache)


def room() -> MemoryCache:
    return MemoryCache(100_000)


def test_the_store_is_read_once_and_after_each_event() -> None:
    events = Events()
    ours = process(events, None)
    assert (ours.rows(), ours.rows(), events.reads) == ([], [], 1)
    ours.record(5)
    assert (ours.rows(), ours.rows(), events.reads) == ([5], [5], 2)


def test_bytes_are_arrays_id_and_overhead() -> None:
    events = Events()
    events.rows["ann"] = [1, 2, 3]
    ours = process(events, None)
    ours.rows()
    assert ours.cache.stats()[0].used_bytes == 5 * 3 * 8 + 3 + HISTORY_OVERHEAD_BYTES


def test_the_bound_is_of_bytes_so_long_histories_leave_room_for_fewer() -> None:
    events = Events()
    events.rows["long"] = list(range(1_000))  # 40,000 bytes
    ours = process(events, None, limit_bytes=42_000)
    for user_id in ("a", "b", "c", "long"):
        ours.rows(user_id)
    stats = ours.cache.stats()[0]
    assert (stats.entries, stats.evictions) == (1, 3)
    assert (stats.used_bytes or 0) <= 42_000


@pytest.mark.parametrize("shared", [None, room()])
def test_an_event_during_the_read_is_not_lost(shared: Cache | None) -> None:
    events = Events()
    ours = process(events, shared)
    events.meanwhile = lambda: ours.record(5)
    assert ours.rows() == []  # it asked before the event
    assert ours.rows() == [5]


def test_an_event_of_another_process_during_the_read_is_not_kept_on_the_server() -> None:
    events, shared, clock = Events(), room(), ManualClock()
    ours, theirs = process(events, shared, clock=clock), process(events, shared)
    events.meanwhile = lambda: theirs.record(5)
    assert ours.rows() == []
    assert theirs.rows() == [5]
    assert process(events, shared).rows() == [5]
    clock.now_s += 1.0
    assert ours.rows() == [5]


def test_an_event_between_the_stamp_and_the_read_is_not_kept_as_old() -> None:
    class Gap(MemoryCache):
        meanwhile: Callable[[], object] | None = None

        def put(self, key: str, value: bytes) -> bool:
            if self.meanwhile is not None:
                happens, self.meanwhile = self.meanwhile, None
                happens()
            return super().put(key, value)

    events, shared = Events(), Gap(100_000)
    ours, theirs = process(events, shared), process(events, shared)
    # Theirs replaces the stamp just before ours writes its own first one.
    shared.meanwhile = lambda: theirs.record(5)
    assert ours.rows() == [5]
    theirs.record(6)
    assert process(events, shared).rows() == [5, 6]


def test_a_second_process_need_not_read_the_store() -> None:
    events, shared = Events(), room()
    events.rows["ann"] = [3, 300]
    assert process(events, shared).rows() == [3, 300]
    assert process(events, shared).rows() == [3, 300]
    assert events.reads == 1


def test_an_event_elsewhere_is_seen_after_the_time_that_was_said() -> None:
    events, shared, clock = Events(), room(), ManualClock()
    ours, theirs = process(events, shared, clock=clock), process(events, shared)
    assert ours.rows() == []
    theirs.record(5)
    clock.now_s += 0.9
    assert ours.rows() == []
    clock.now_s += 0.1
    assert ours.rows() == [5]


def test_rows_of_one_model_are_never_read_by_another() -> None:
    events, shared = Events(), room()
    assert process(events, shared, model_version="m1").rows() == []
    events.rows["ann"] = [7]  # what m2 calls the same items
    assert process(events, shared, model_version="m2").rows() == [7]
    assert process(events, shared, model_version="m1", config="c2").rows() == [7]
    assert process(events, shared, model_version="m1").rows() == []


def test_an_event_that_one_model_records_changes_the_history_of_another() -> None:
    events, shared = Events(), room()
    process(events, shared, model_version="m1").rows()
    process(events, shared, model_version="m2").record(5)
    assert process(events, shared, model_version="m1").rows() == [5]


def test_rows_that_only_this_process_knows_are_not_shared() -> None:
    events, shared = Events(), room()
    events.rows = {"ann": [9, 10], "ben": [9]}
    for user_id in ("ann", "ben"):
        assert process(events, shared, shared_rows=10).rows(user_id) == events.rows[user_id]
    events.reads = 0
    process(events, shared, shared_rows=10).rows("ann")
    assert events.reads == 1
    process(events, shared, shared_rows=10).rows("ben")
    assert events.reads == 1


def test_a_damaged_value_is_read_from_the_store_and_replaced(caplog: pytest.LogCaptureFixture) -> None:
    class Damaging(MemoryCache):
        damages = True

        def get(self, key: str) -> bytes | None:
            value = super().get(key)
            return value[:-1] if value and self.damages and key.startswith("session") else value

    events, shared = Events(), Damaging(100_000)
    events.rows["ann"] = [1, 2]
    process(events, shared).rows()
    assert process(events, shared).rows() == [1, 2]
    assert "history that cannot be read" in caplog.text
    shared.damages = False
    assert process(events, shared).rows() == [1, 2]
    assert events.reads == 2


def test_forgetting_a_shopper_leaves_nothing_on_any_level() -> None:
    events, shared = Events(), room()
    ours = process(events, shared)
    ours.rows("ann")
    ours.rows("anna")
    events.rows["ann"] = [1]
    assert ours.cache.forget("ann")
    assert ours.cache.stats()[0].entries == 1
    assert shared.stats()[0].entries == 3  # ann's new stamp; anna's stamp and history
    assert ours.rows("ann") == [1]


def test_clear_reads_anew_here() -> None:
    events = Events()
    ours = process(events, None)
    ours.rows()
    ours.cache.clear()
    ours.rows()
    assert events.reads == 2


def test_a_shared_level_needs_a_model_version() -> None:
    with pytest.raises(ConfigError, match="model version ''"):
        SessionCache(1, shared=room())


@pytest.fixture
def server() -> Iterator[RealValkey]:
    server = RealValkey()
    yield server
    server.close()


def test_no_event_is_lost_whatever_happens_to_the_server(server: RealValkey) -> None:
    events, clock = Events(), ManualClock()
    links = [ValkeyLink(server.url, timeout_ms=100, cool_down_s=5.0, clock=clock) for _ in range(2)]
    caches = [ValkeyCache(link, prefix="test", ttl_s=60.0, clock=clock) for link in links]
    ours, theirs = (process(events, cache, clock=clock) for cache in caches)
    ours.record(1)
    assert ours.rows() == theirs.rows() == [1]
    with server.hanging():
        # The server keeps its old stamp and history, and does not hear of event 2: nobody calls it any more.
        ours.rows("ben")
        assert not caches[0].stats()[0].is_available
        ours.record(2)
        assert ours.rows() == [1, 2]
        clock.now_s += 1.0
        assert theirs.rows() == [1, 2]  # no word from the server: the store is read
    clock.now_s += 5.0
    assert ours.rows() == [1, 2]
    assert theirs.rows() == [1, 2]
    server.kill()
    try:
        theirs.record(3)
        clock.now_s += 1.0
        assert ours.rows() == theirs.rows() == [1, 2, 3]
    finally:
        server.restart()
    clock.now_s += 5.0
    assert ours.rows() == theirs.rows() == [1, 2, 3]
    ours.record(4)
    clock.now_s += 1.0
    assert ours.rows() == theirs.rows() == [1, 2, 3, 4]
    assert all(cache.stats()[0].is_available for cache in caches)
    for link in links:
        link.close()
