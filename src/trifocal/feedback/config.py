"""What the satisfaction score may be told. Imports nothing from this package."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["SatisfactionConfig"]


class SatisfactionConfig(BaseModel):
    """How the satisfaction of a session is put together. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dwell: float = Field(default=0.6, ge=0)
    """Weight of how long clicked items were looked at, against their category and device."""

    repeat: float = Field(default=0.2, ge=0)
    """Weight of coming back within the window; 0 where users are not recognised."""

    conversion: float = Field(default=0.2, ge=0)
    """Weight of a purchase in the session; 0 where the log has no purchases."""

    window_days: float = Field(default=7.0, gt=0, le=365)
    """Days within which a user has to come back."""

    min_clicks: int = Field(default=50, ge=2)
    """Clicks with dwell from which a category and device, or a device, has statistics of its own."""

    @model_validator(mode="after")
    def _one_weight_counts(self) -> SatisfactionConfig:
        if self.dwell + self.repeat + self.conversion <= 0:
            raise ValueError("the weights dwell, repeat and conversion are all 0; give at least one above 0")
        return self
