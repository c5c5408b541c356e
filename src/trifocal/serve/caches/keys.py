"""The one way to build a key of a cache. Pure.

A key names the model version and the hash of the config, so that no model reads what another one wrote.
"""

from __future__ import annotations

from hashlib import blake2b
from urllib.parse import quote

from pydantic import BaseModel

from trifocal.errors import ConfigError

__all__ = ["cache_key", "cache_prefix", "config_hash"]


def cache_key(kind: str, model_version: str, config_hash: str, *parts: str) -> str:
    """Return one key for these words; different words never give the same key.

    >>> cache_key("session", "m1", "c1", "ann:b", "7")
    'session:m1:c1:ann%3Ab:7'

    Args:
        kind: what is kept.
        model_version: of the bundle that the value belongs to.
        config_hash: of the settings that the value depends on; may be empty.
        parts: whatever tells entries of this kind apart.

    Raises:
        ConfigError: when the kind or the model version is empty.
    """
    if not kind or not model_version:
        raise ConfigError(
            f"a cache key of kind {kind!r} and model version {model_version!r} would mix models; name both"
        )
    return ":".join(_quoted(word) for word in (kind, model_version, config_hash, *parts))


def cache_prefix(kind: str, model_version: str, config_hash: str, *parts: str) -> str:
    """Return what every key of `parts` and at least one further part starts with, and no other key.

    >>> cache_prefix("session", "m1", "c1", "ann")
    'session:m1:c1:ann:'
    """
    return cache_key(kind, model_version, config_hash, *parts) + ":"


def config_hash(*values: BaseModel | str | int | float) -> str:
    """Return 16 hex digits that change with any of `values`."""
    words = (value.model_dump_json() if isinstance(value, BaseModel) else repr(value) for value in values)
    return blake2b("\n".join(words).encode(), digest_size=8).hexdigest()


def _quoted(word: str) -> str:
    # An id from outside may hold half a surrogate pair, which plain UTF-8 refuses.
    return quote(word, safe="", errors="surrogatepass")
