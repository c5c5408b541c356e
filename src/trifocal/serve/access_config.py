"""Settings of who may ask what. Imports nothing from this package."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["AccessConfig", "ApiKey", "Scope"]

Scope = Literal["read", "write", "admin"]
"""What a key opens: each scope holds those before it."""


class ApiKey(BaseModel):
    """One secret, and what it opens. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    key: SecretStr
    """The secret; 16 characters or more, since it may be guessed at."""
    scope: Scope = "read"
    """`read` = questions and events, `write` = items and users too, `admin` = bundles too."""


class AccessConfig(BaseModel):
    """Who may ask, and how much. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    keys: tuple[ApiKey, ...] = ()
    """Secrets that open the API; with none, and no file, it is open to everybody who can reach it."""

    keys_file: str = ""
    """File of further secrets, one `scope secret` a line; empty = none."""

    metrics: bool = False
    """Ask for a key at `/metrics` as well; health and readiness never ask."""

    rate_per_s: float = Field(default=0.0, ge=0)
    """Requests a second that a key, or an address without one, may send for long; 0 = any number."""

    rate_burst: int = Field(default=50, ge=1)
    """Requests that may come at once, above that rate."""

    body_bytes: int = Field(default=1024 * 1024, ge=1024)
    """Greatest body of a request."""

    picture_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    """Greatest body of a request that may hold a picture: a search, an item."""
