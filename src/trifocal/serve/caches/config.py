"""Settings of the caches of serving."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["CacheConfig"]


class CacheConfig(BaseModel):
    """What is kept between requests, and where. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    session_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    """Memory for shoppers' histories in this process; 0 = none."""

    session_fresh_s: float = Field(default=1.0, gt=0)
    """With a shared server: how long an event that another process recorded may stay unseen here."""

    answer_bytes: int = Field(default=0, ge=0)
    """Memory for whole answers in this process; 0 = no answer is kept."""

    answer_ttl_s: float = Field(default=30.0, gt=0)
    """How long an answer is given again; the clock time of a request counts in steps of this length."""

    shared_url: SecretStr = SecretStr("")
    """Valkey or Redis as second level, as in `redis://user:password@host:6379/0`; empty = none."""

    shared_prefix: str = Field(default="trifocal", min_length=1)
    """Start of every key on the server; services with different event stores need different ones."""

    shared_ttl_s: float = Field(default=300.0, gt=0)
    """How long the server keeps a value; also the longest that a value outlives an invalidation that got lost."""

    shared_timeout_ms: float = Field(default=20.0, ge=1, le=1000)
    """How long one call waits for the server."""

    cool_down_s: float = Field(default=2.0, gt=0)
    """How long the server is left alone after a failure, before one request tries it again."""
