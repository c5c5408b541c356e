"""Settings of the explain stage."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ExplainConfig"]


class ExplainConfig(BaseModel):
    """How closely a score is taken apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=5, ge=2, le=200)
    """Points on the way from an item that says nothing to the item; more are more exact and take longer."""
