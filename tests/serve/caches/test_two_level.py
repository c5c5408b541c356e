from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.contracts.cache import CacheContract
from tests.serve.caches.clock import ManualClock

from trifocal.ports import Cache
from trifocal.serve.caches import MemoryCache, NullCache, TwoLevelCache


class TestTwoLevelCache(CacheContract):
    def open(self) -> Cache:
        return TwoLevelCache(MemoryCache(1_000_000), MemoryCache(1_000_000))


class SlowCache(MemoryCache):
    """Something happens after it was read and before its answer arrives."""

    meanwhile: Callable[[], object] | None = None

    def get(self, key: str) -> bytes | None:
        value = super().get(key)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return value


def test_what_the_shared_level_has_is_asked_for_once() -> None:
    shared = MemoryCache(10_000)
    ours, theirs = (TwoLevelCache(MemoryCache(10_000), shared) for _ in range(2))
    theirs.put("a", b"1")
    assert [ours.get("a") for _ in range(3)] == [b"1"] * 3
    memory, second = ours.stats()
    assert (memory.hits, memory.misses, second.hits) == (2, 1, 1)


def test_a_drop_elsewhere_is_seen_when_the_memory_has_aged() -> None:
    clock, shared = ManualClock(), MemoryCache(10_000)
    ours = TwoLevelCache(MemoryCache(10_000, ttl_s=2.0, clock=clock), shared)
    ours.put("a", b"1")
    shared.drop("a")
    assert ours.get("a") == b"1"
    clock.now_s += 2.0
    assert ours.get("a") is None


@pytest.mark.parametrize(
    ("write", "then"),
    [
        (lambda cache: cache.drop("a"), None),
        (lambda cache: cache.drop_matching("a"), None),
        (lambda cache: cache.put("a", b"new"), b"new"),
    ],
)
def test_what_is_written_while_the_server_is_asked_wins(write: Callable[[Cache], object], then: bytes | None) -> None:
    shared = SlowCache(10_000)
    cache = TwoLevelCache(MemoryCache(10_000), shared)
    shared.put("a", b"old")
    shared.meanwhile = lambda: write(cache)
    cache.get("a")
    assert cache.get("a") == then


def test_a_level_that_keeps_nothing_is_said() -> None:
    cache = TwoLevelCache(MemoryCache(10_000), NullCache())
    assert not cache.put("a", b"1")
    assert cache.get("a") == b"1"
