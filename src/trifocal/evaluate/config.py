"""What an evaluation may be told. Imports nothing from this package."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["EvaluateConfig"]


class EvaluateConfig(BaseModel):
    """How models are scored and reported. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    seed: int = Field(default=0, ge=0)
    """Of the bootstrap and of the choice of sample users."""

    k: int = Field(default=50, ge=20, le=1000)
    """Length of the ranked lists; the report needs 20."""

    batch: int = Field(default=256, ge=1)
    """Requests asked for at once."""

    bootstrap_samples: int = Field(default=2000, ge=100, le=100_000)
    """Resamples of the users, for the 95 % intervals."""

    latency_requests: int = Field(default=200, ge=10)
    """Single answers that are timed for p50, p95 and p99."""

    sample_users: int = Field(default=10, ge=0, le=100)
    """Users whose lists the HTML page shows with pictures."""
