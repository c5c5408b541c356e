from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.cache import CacheContract
from tests.serve.caches.clock import ManualClock

from trifocal.ports import Cache
from trifocal.serve.caches import MemoryCache
from trifocal.serve.caches.memory import ENTRY_OVERHEAD_BYTES


class TestMemoryCache(CacheContract):
    def open(self) -> Cache:
        return MemoryCache(1_000_000)


def test_bytes_are_key_value_and_overhead() -> None:
    cache = MemoryCache(10_000)
    cache.put("ab", b"12345")
    cache.put("é", b"")  # two bytes of key in UTF-8
    (stats,) = cache.stats()
    assert (stats.entries, stats.used_bytes) == (2, 7 + 2 + 2 * ENTRY_OVERHEAD_BYTES)
    assert stats.limit_bytes == 10_000


def test_the_entry_that_was_used_longest_ago_leaves() -> None:
    cache = MemoryCache(2 * (1 + 10 + ENTRY_OVERHEAD_BYTES))
    cache.put("a", b"0123456789")
    cache.put("b", b"0123456789")
    cache.get("a")
    cache.put("c", b"0123456789")
    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]
    assert cache.stats()[0].evictions == 1


def test_a_value_larger_than_the_cache_is_refused_and_its_forerunner_gone() -> None:
    cache = MemoryCache(1_000)
    cache.put("other", b"1")
    assert cache.put("a", b"old")
    assert not cache.put("a", b"x" * 1_000)
    assert cache.get("a") is None
    assert cache.get("other") == b"1"


def test_an_entry_dies_at_the_end_of_its_time() -> None:
    clock = ManualClock()
    cache = MemoryCache(1_000, ttl_s=5.0, clock=clock)
    cache.put("a", b"1")
    clock.now_s += 4.9
    assert cache.get("a") == b"1"  # looking at it does not make it younger
    clock.now_s += 0.1
    assert cache.get("a") is None
    assert cache.stats()[0].used_bytes == 0


def test_no_bytes_keep_nothing() -> None:
    cache = MemoryCache(0)
    assert not cache.put("a", b"")
    assert cache.get("a") is None


_STEPS = st.lists(st.tuples(st.sampled_from("pgd"), st.sampled_from("abcdef"), st.integers(0, 900)), max_size=60)


@given(_STEPS)
@settings(max_examples=60, deadline=None)
def test_the_bound_holds_and_no_byte_is_lost(steps: list[tuple[str, str, int]]) -> None:
    cache, last = MemoryCache(2_000), dict[str, bytes]()
    for step, key, size in steps:
        if step == "p":
            last[key] = bytes([size % 256]) * size
            cache.put(key, last[key])
        elif step == "d":
            cache.drop(key)
            last.pop(key, None)
        else:
            assert cache.get(key) in (None, last.get(key))
        assert (cache.stats()[0].used_bytes or 0) <= 2_000
    found = {key: value for key in "abcdef" if (value := cache.get(key)) is not None}
    assert cache.stats()[0].used_bytes == sum(1 + len(value) + ENTRY_OVERHEAD_BYTES for value in found.values())


def test_the_stated_overhead_covers_what_python_takes() -> None:
    cache = MemoryCache(10_000_000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(3_000):
            cache.put(f"key {number}", bytes(100))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken <= (cache.stats()[0].used_bytes or 0)
