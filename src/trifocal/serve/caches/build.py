"""Settings -> caches, wired together. Connects to nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trifocal.ports import Cache
from trifocal.serve.caches.answers import AnswerCache
from trifocal.serve.caches.config import CacheConfig
from trifocal.serve.caches.memory import MemoryCache
from trifocal.serve.caches.two_level import TwoLevelCache

if TYPE_CHECKING:
    from trifocal.serve.caches.valkey_link import ValkeyLink

__all__ = ["SharedCaches", "answer_cache", "shared_caches"]


@dataclass(frozen=True)
class SharedCaches:
    """The second levels of a process; one connection, so that one failure is learned once. Stability: caller.

    Attributes:
        sessions: of shoppers' histories, or None = there is no server.
        answers: of answers, or None = there is no server.
        link: the connection, or None = there is no server.
    """

    sessions: Cache | None = None
    answers: Cache | None = None
    link: ValkeyLink | None = None

    def close(self) -> None:
        """Close the connections; safe where there is none."""
        if self.link is not None:
            self.link.close()


def shared_caches(config: CacheConfig) -> SharedCaches:
    """Return the second levels that `config` asks for; the server need not be there yet.

    Raises:
        ConfigError: when the URL cannot be read, or the extra `cache` is not installed.
    """
    url = config.shared_url.get_secret_value()
    if not url:
        return SharedCaches()
    from trifocal.serve.caches.valkey import ValkeyCache
    from trifocal.serve.caches.valkey_link import ValkeyLink

    link = ValkeyLink(url, timeout_ms=config.shared_timeout_ms, cool_down_s=config.cool_down_s)
    return SharedCaches(
        sessions=ValkeyCache(link, prefix=f"{config.shared_prefix}:sessions", ttl_s=config.shared_ttl_s),
        answers=ValkeyCache(link, prefix=f"{config.shared_prefix}:answers", ttl_s=config.answer_ttl_s),
        link=link,
    )


def answer_cache(
    config: CacheConfig, shared: SharedCaches, *, model_version: str, config_hash: str
) -> AnswerCache | None:
    """Return the cache of answers of one bundle, or None where `config` keeps none."""
    if config.answer_bytes == 0:
        return None
    memory = MemoryCache(config.answer_bytes, ttl_s=config.answer_ttl_s)
    cache = memory if shared.answers is None else TwoLevelCache(memory, shared.answers)
    return AnswerCache(cache, model_version=model_version, config_hash=config_hash, ttl_s=config.answer_ttl_s)
