"""Settings of the KPIs. Imports nothing from this package."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trifocal.feedback.config import SatisfactionConfig

__all__ = ["KpiConfig"]


class KpiConfig(BaseModel):
    """What is counted, over which times. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    windows_s: tuple[int, ...] = Field(default=(300, 3600, 86_400), min_length=1, max_length=6)
    """Lengths of the windows that end now, in seconds."""
    buckets: int = Field(default=30, ge=2, le=1000)
    """Parts of a window: it is right to within one of them."""
    values_most: int = Field(default=50, ge=1)
    """Variants, devices, categories that are told apart; what comes later counts as `other`."""
    sessions_most: int = Field(default=50_000, ge=1)
    """Sessions and shoppers that are remembered."""
    items_most: int = Field(default=200_000, ge=1)
    """Items a variant showed that are remembered for coverage."""
    session_gap_s: float = Field(default=1800.0, gt=0)
    """Idle seconds that end a session."""
    satisfaction: SatisfactionConfig = SatisfactionConfig()
    """How the satisfaction of a session is put together; `repeat` is not known of a session that just ended."""
