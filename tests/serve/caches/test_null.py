from __future__ import annotations

from tests.contracts.cache import CacheContract

from trifocal.ports import Cache, CacheStats
from trifocal.serve.caches import NullCache


class TestNullCache(CacheContract):
    keeps = False

    def open(self) -> Cache:
        return NullCache()


def test_it_says_that_it_keeps_nothing() -> None:
    assert NullCache().stats() == (CacheStats("none"),)
