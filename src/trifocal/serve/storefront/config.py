"""Settings of the storefront. Imports nothing of this stage."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ComparedConfig", "StorefrontConfig"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ComparedConfig(_Section):
    """A bundle whose lists stand beside those of the one that serves. Stability: full."""

    name: str = Field(min_length=1, max_length=40)
    """As the page shows it."""
    bundle: str = Field(min_length=1)
    """Its folder."""


class StorefrontConfig(_Section):
    """What the pages show. Stability: full."""

    compare_with: tuple[ComparedConfig, ...] = Field(default=(), max_length=6)
    """Other bundles on the page /compare, beside matrix factorisation and popularity, which are always there."""
