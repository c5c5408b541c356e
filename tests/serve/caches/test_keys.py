from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.errors import ConfigError
from trifocal.serve.caches import CacheConfig, MemoryCache, cache_key, config_hash
from trifocal.serve.caches.keys import cache_prefix

_WORDS = st.lists(st.text(alphabet="a:%/é\ud800", min_size=0, max_size=3), min_size=1, max_size=4)


@given(_WORDS, _WORDS)
@settings(max_examples=200, deadline=None)
def test_different_words_never_give_one_key(first: list[str], second: list[str]) -> None:
    assert (cache_key("k", "m", "c", *first) == cache_key("k", "m", "c", *second)) == (first == second)


def test_kind_model_and_config_tell_entries_apart() -> None:
    keys = [cache_key(k, m, c, "x") for k in ("a", "b") for m in ("m1", "m2") for c in ("", "c1")]
    assert all(first != second for first, second in combinations(keys, 2))


def test_what_one_model_wrote_no_other_model_reads() -> None:
    cache = MemoryCache(10_000)
    for version in ("m1", "m2", "m1:m2", "m1%3A"):
        cache.put(cache_key("answer", version, "c", "ann"), version.encode())
    for version in ("m1", "m2", "m1:m2", "m1%3A"):
        assert cache.get(cache_key("answer", version, "c", "ann")) == version.encode()
    assert cache.get(cache_key("answer", "m3", "c", "ann")) is None


@pytest.mark.parametrize(("kind", "version"), [("", "m1"), ("answer", "")])
def test_a_key_without_kind_or_model_is_refused(kind: str, version: str) -> None:
    with pytest.raises(ConfigError, match=f"kind '{kind}' and model version '{version}'"):
        cache_key(kind, version, "c")


def test_a_prefix_ends_where_the_word_does() -> None:
    prefix = cache_prefix("s", "m", "c", "ann")
    assert cache_key("s", "m", "c", "ann", "1").startswith(prefix)
    assert not cache_key("s", "m", "c", "anna", "1").startswith(prefix)


def test_the_hash_of_a_config_changes_with_each_value() -> None:
    hashes = [config_hash(CacheConfig()), config_hash(CacheConfig(answer_bytes=1)), config_hash("1"), config_hash(1)]
    hashes += [config_hash("a", "b"), config_hash("ab"), config_hash("b", "a")]
    assert len(set(hashes)) == len(hashes)
    assert config_hash(CacheConfig()) == hashes[0]
