from __future__ import annotations

import pytest

from trifocal.errors import ConfigError
from trifocal.serve.asks import Answer, Ask
from trifocal.serve.caches import CacheConfig, SharedCaches, answer_cache, shared_caches
from trifocal.types import History

# Nobody listens there.
NOWHERE = CacheConfig(shared_url="redis://127.0.0.1:1", answer_bytes=10_000)  # type: ignore[arg-type]


def test_without_a_server_there_is_no_second_level() -> None:
    shared = shared_caches(CacheConfig())
    assert shared == SharedCaches()
    shared.close()


def test_one_failure_is_learned_once_for_all_uses() -> None:
    shared = shared_caches(NOWHERE)
    assert shared.sessions is not None
    assert shared.answers is not None
    assert shared.sessions.get("a") is None
    assert shared.answers.get("a") is None
    assert [cache.stats()[0].failures for cache in (shared.sessions, shared.answers)] == [1, 0]
    assert [cache.stats()[0].skipped for cache in (shared.sessions, shared.answers)] == [0, 1]
    shared.close()


def test_answers_are_kept_where_they_are_given_room() -> None:
    shared = shared_caches(NOWHERE)
    assert answer_cache(CacheConfig(), shared, model_version="m1", config_hash="") is None
    cache = answer_cache(NOWHERE, shared, model_version="m1", config_hash="")
    assert cache is not None
    assert [level.level for level in cache.stats()] == ["memory", "shared"]
    cache.put(Ask(), History(), Answer((), "full", "m1", {}), now_s=0.0)
    assert cache.get(Ask(), History(), now_s=0.0) is not None
    shared.close()


def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="URL of the shared cache"):
        shared_caches(CacheConfig(shared_url="memcached://x"))  # type: ignore[arg-type]
