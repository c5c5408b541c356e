"""Settings of the explain stage."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ExplainConfig"]


class ExplainConfig(BaseModel):
    """How closely a score is taken apart, and how much content is kept at hand for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=8, ge=2, le=200)
    """Points on the way from an item that says nothing to the item; more are more exact and take longer."""
    remembered: int = Field(default=2000, ge=1)
    """Texts, and as many pictures, whose encoded tokens are kept in memory: about 50 kB each."""
