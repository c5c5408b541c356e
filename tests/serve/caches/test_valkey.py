from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from tests.contracts.cache import CacheContract
from tests.serve.caches.clock import ManualClock
from tests.serve.caches.valkey_server import RealValkey

from trifocal.errors import ConfigError
from trifocal.ports import Cache
from trifocal.serve.caches import MemoryCache, TwoLevelCache
from trifocal.serve.caches.valkey import ValkeyCache
from trifocal.serve.caches.valkey_link import ValkeyLink

# Generous, since other work may hold the machine; still far below the client's own default of 5 s.
LIMIT_MS = 100.0
SLACK_S = 0.5
COOL_DOWN_S = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[RealValkey]:
    server = RealValkey()
    yield server
    server.close()


@contextmanager
def opened(
    server: RealValkey, *, prefix: str = "test", ttl_s: float = 60.0, clock: ManualClock | None = None
) -> Iterator[ValkeyCache]:
    clock = clock or ManualClock()
    link = ValkeyLink(server.url, timeout_ms=LIMIT_MS, cool_down_s=COOL_DOWN_S, clock=clock)
    yield ValkeyCache(link, prefix=prefix, ttl_s=ttl_s, clock=clock)
    link.close()


class TestValkeyCache(CacheContract):
    @pytest.fixture
    def cache(self, server: RealValkey) -> Iterator[Cache]:
        server.flush()
        with opened(server) as cache:
            yield cache


class TestTwoLevelCacheOverValkey(CacheContract):
    @pytest.fixture
    def cache(self, server: RealValkey) -> Iterator[Cache]:
        server.flush()
        with opened(server) as cache:
            yield TwoLevelCache(MemoryCache(1_000_000), cache)


def test_a_value_lives_as_long_as_was_said(server: RealValkey) -> None:
    with opened(server, ttl_s=0.05) as cache:
        cache.put("short", b"1")
        time.sleep(0.1)
        assert cache.get("short") is None


def test_clear_leaves_the_keys_of_others(server: RealValkey) -> None:
    server.flush()
    with opened(server, prefix="one") as one, opened(server, prefix="two") as two:
        one.put("a", b"1")
        two.put("a", b"2")
        one.clear()
        assert server.keys() == ["two:a"]


def test_a_hanging_server_costs_one_time_limit_and_then_nothing(server: RealValkey) -> None:
    clock = ManualClock()
    with opened(server, clock=clock) as cache:
        cache.put("a", b"1")
        with server.hanging():
            start = time.perf_counter()
            assert cache.get("a") is None
            assert time.perf_counter() - start < LIMIT_MS / 1000 + SLACK_S
            start = time.perf_counter()
            assert [cache.get("a") for _ in range(500)] == [None] * 500
            assert not cache.put("b", b"2")
            assert time.perf_counter() - start < SLACK_S
            (stats,) = cache.stats()
            assert (stats.failures, stats.skipped, stats.is_available) == (1, 501, False)
        assert cache.get("a") is None  # it answers again, but its cool-down is not over
        clock.now_s += COOL_DOWN_S
        assert cache.get("a") == b"1"
        assert cache.stats()[0].is_available


def test_a_new_connection_to_a_hanging_server_keeps_the_time_limit(server: RealValkey) -> None:
    with opened(server) as cache, server.hanging():
        start = time.perf_counter()
        assert cache.get("a") is None
        assert time.perf_counter() - start < LIMIT_MS / 1000 + SLACK_S


def test_while_it_hangs_one_probe_a_cool_down_waits(server: RealValkey) -> None:
    clock = ManualClock()
    with opened(server, clock=clock) as cache, server.hanging():
        cache.get("a")
        clock.now_s += COOL_DOWN_S
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(cache.get, ["a"] * 50))
        assert cache.stats()[0].failures == 2


def test_killed_in_the_middle_and_back(server: RealValkey, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    with opened(server, clock=clock) as shared, caplog.at_level(logging.INFO, "trifocal.serve"):
        cache = TwoLevelCache(MemoryCache(10_000), shared)
        cache.put("a", b"1")
        server.kill()
        try:
            assert cache.get("a") == b"1"  # the first level goes on
            assert cache.get("b") is None
            assert not cache.put("b", b"2")
            assert cache.get("b") == b"2"
            assert len(caplog.records) == 1  # of the first failure
            assert str(server.port) in caplog.text
        finally:
            server.restart()
        clock.now_s += COOL_DOWN_S
        assert cache.put("c", b"3")
        assert "is used again; 2 calls went without it" in caplog.records[-1].getMessage()
        assert server.keys() == ["test:c"]
        assert (shared.stats()[0].failures, shared.stats()[0].skipped) == (1, 1)


def test_killed_under_load_nobody_sees_an_error(server: RealValkey) -> None:
    clock = ManualClock()
    with opened(server, clock=clock) as cache, ThreadPoolExecutor(4) as pool:

        def work(number: int) -> bool:
            if number == 100:
                server.kill()
            cache.put(f"k{number % 5}", b"v")
            return cache.get(f"k{number % 5}") in (None, b"v")

        try:
            assert all(pool.map(work, range(300)))
        finally:
            server.restart()
        assert cache.stats()[0].failures >= 1


@pytest.mark.parametrize("write", ["drop", "put", "drop_matching"])
def test_a_write_that_was_lost_is_never_read_over(server: RealValkey, write: str) -> None:
    clock = ManualClock()
    with opened(server, clock=clock) as cache:
        cache.put("a", b"old")
        with server.hanging():
            cache.get("x")  # opens the breaker, so that the write is not even sent
            done = cache.put("a", b"new") if write == "put" else getattr(cache, write)("a")
            assert done is False
        clock.now_s += COOL_DOWN_S
        assert cache.get("a") is None
        cache.get("y")
        assert cache.get("a") is None


def test_what_is_owed_is_dropped_for_the_other_processes_too(server: RealValkey) -> None:
    server.flush()
    clock = ManualClock()
    with opened(server, clock=clock) as ours, opened(server) as theirs:
        ours.put("a", b"old")
        with server.hanging():
            assert not ours.drop("a")
        clock.now_s += COOL_DOWN_S
        ours.get("anything")
        assert theirs.get("a") is None
        assert ours.put("a", b"new")
        assert ours.get("a") == theirs.get("a") == b"new"


def test_a_service_may_start_before_its_server(server: RealValkey) -> None:
    clock = ManualClock()
    server.kill()
    try:
        with opened(server, clock=clock) as cache:
            assert cache.get("a") is None
            server.restart()
            clock.now_s += COOL_DOWN_S
            assert cache.put("a", b"1")
    finally:
        if not server.is_running:
            server.restart()


def test_a_server_that_refuses_is_a_failure_too(server: RealValkey) -> None:
    link = ValkeyLink(server.url.replace("redis://", "valkey://ann:wrong@"), timeout_ms=LIMIT_MS)
    cache = ValkeyCache(link, prefix="test", ttl_s=1.0)
    assert cache.get("a") is None
    assert cache.stats()[0].failures == 1
    link.close()


def test_the_password_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    link = ValkeyLink("redis://ann:hunter2@127.0.0.1:1/0", timeout_ms=LIMIT_MS)
    assert ValkeyCache(link, prefix="test", ttl_s=1.0).get("a") is None
    assert "127.0.0.1:1" in caplog.text
    assert "hunter2" not in caplog.text
    link.close()


def test_what_is_no_address_is_refused_without_its_password() -> None:
    with pytest.raises(ConfigError, match="URL of the shared cache cannot be used") as caught:
        ValkeyLink("http://ann:hunter2@127.0.0.1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("prefix", "ttl_s"), [("", 1.0), ("test", 0.0)])
def test_prefix_and_time_to_live_are_needed(server: RealValkey, prefix: str, ttl_s: float) -> None:
    link = ValkeyLink(server.url)
    with pytest.raises(ConfigError, match=f"not '{prefix}' and {ttl_s} s"):
        ValkeyCache(link, prefix=prefix, ttl_s=ttl_s)
    link.close()
