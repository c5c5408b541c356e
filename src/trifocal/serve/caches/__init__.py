"""What is kept between requests: bytes by key on two levels, shoppers' histories, whole answers.

The shared level needs the extra `cache` and stands in modules of its own: `trifocal.serve.caches.valkey`.
"""

from trifocal.serve.caches.answers import AnswerCache
from trifocal.serve.caches.build import SharedCaches, answer_cache, shared_caches
from trifocal.serve.caches.config import CacheConfig
from trifocal.serve.caches.keys import cache_key, config_hash
from trifocal.serve.caches.memory import MemoryCache
from trifocal.serve.caches.null import NullCache
from trifocal.serve.caches.sessions import SessionCache
from trifocal.serve.caches.two_level import TwoLevelCache

__all__ = [
    "AnswerCache",
    "CacheConfig",
    "MemoryCache",
    "NullCache",
    "SessionCache",
    "SharedCaches",
    "TwoLevelCache",
    "answer_cache",
    "cache_key",
    "config_hash",
    "shared_caches",
]
