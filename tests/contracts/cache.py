"""What every `Cache` must do, wherever it keeps its values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from trifocal.ports import Cache


class CacheContract:
    """Inherit, and say how the cache is opened; `keeps` is False for one that forgets at once."""

    keeps = True

    @abstractmethod
    def open(self) -> Cache:
        """Return an empty cache with room for a megabyte."""

    @pytest.fixture
    def cache(self) -> Iterator[Cache]:
        yield self.open()  # noqa: PT022 - where there is something to close, the fixture is overridden

    def kept(self, value: bytes) -> bytes | None:
        return value if self.keeps else None

    @pytest.mark.parametrize("value", [b"", b"shoe", bytes(range(256)), b"x" * 10_000])
    def test_bytes_come_back_as_they_were(self, cache: Cache, value: bytes) -> None:
        assert cache.put("a", value) is self.keeps
        assert cache.get("a") == self.kept(value)
        assert cache.get("b") is None

    def test_the_last_value_counts(self, cache: Cache) -> None:
        cache.put("a", b"old")
        cache.put("a", b"new")
        assert cache.get("a") == self.kept(b"new")

    def test_what_is_dropped_is_gone(self, cache: Cache) -> None:
        cache.put("a", b"1")
        cache.put("b", b"2")
        assert cache.drop("a")
        assert cache.drop("never there")
        assert cache.get("a") is None
        assert cache.get("b") == self.kept(b"2")

    @pytest.mark.parametrize("odd", ["*", "?", "[ab]", "[^x]", "\\", "é", "日本", " ", ":"])
    def test_a_prefix_is_read_literally(self, cache: Cache, odd: str) -> None:
        keys = [f"k{odd}1", f"k{odd}2", "ka1", "kb", "k", f"other k{odd}"]
        for key in keys:
            cache.put(key, key.encode())
        assert cache.drop_matching(f"k{odd}")
        assert [cache.get(key) for key in keys] == [None, None, *(self.kept(key.encode()) for key in keys[2:])]

    def test_clear_leaves_nothing(self, cache: Cache) -> None:
        # More than one round of a server's scan.
        for number in range(1200):
            cache.put(f"k{number}", b"v")
        assert cache.clear()
        assert [number for number in range(1200) if cache.get(f"k{number}") is not None] == []

    def test_hits_and_misses_are_counted(self, cache: Cache) -> None:
        cache.put("a", b"1")
        for key in ("a", "b", "a"):
            cache.get(key)
        stats = cache.stats()
        hits, misses = sum(level.hits for level in stats), stats[-1].misses
        assert (hits, misses) == ((2, 1) if self.keeps else (0, 0))
        assert all(level.is_available and level.failures == level.skipped == 0 for level in stats)

    def test_threads_do_not_mix_values(self, cache: Cache) -> None:
        def work(number: int) -> bool:
            key = f"k{number % 7}"
            cache.put(key, key.encode() * 50)
            if number % 3 == 0:
                cache.drop(key)
            return cache.get(key) in (None, key.encode() * 50)

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(200)))
