"""The settings of the sample shop. Imports nothing but pydantic."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ShopConfig"]


class ShopConfig(BaseModel):
    """How large the generated shop is, and what moves its shoppers. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    products: int = Field(default=1500, ge=60, le=10_000)
    """Products in the catalogue, over twelve categories."""

    shoppers: int = Field(default=8000, ge=10, le=50_000)
    """Shoppers; a few of them never click."""

    days: int = Field(default=182, ge=14, le=730)
    """Length of the simulated time, in days."""

    start: date = date(2026, 1, 5)
    """First simulated day, UTC; a Monday by default."""

    visual_signal: float = Field(default=1.0, ge=0.0, le=2.0)
    """Weight of what only the picture shows; 0 = pictures have no bearing on behaviour."""

    sessions_mean: float = Field(default=8.0, ge=1.0, le=40.0)
    """Sessions of a shopper who is there from the first day, in the mean; the spread is wide."""

    seed: int = Field(default=7, ge=0)
    """Seed of everything: equal settings give equal files."""
