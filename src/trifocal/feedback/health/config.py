"""Settings of the detectors and of the guard. Imports nothing from this package."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["DetectorConfig", "GuardConfig"]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class DetectorConfig(_Config):
    """When a signal counts as out of order. Stability: full."""

    settle_s: float = Field(default=20.0, gt=0)
    """Seconds after which an impression without a click counts as not clicked, unless the user's next answer comes."""
    learn_impressions: int = Field(default=2000, ge=100)
    """Settled impressions from which the usual CTR is learned; before, a fall is not looked for."""
    ctr_fall: float = Field(default=0.3, gt=0, lt=1)
    """Share of the usual CTR that the detector is made for; a fall to about twice that share goes unseen."""
    ctr_threshold: float = Field(default=14.0, gt=0)
    """Evidence at which a fall of CTR is an alarm; 1 more is e times fewer false alarms, and a later true one."""
    ctr_collapse: float = Field(default=0.1, gt=0, lt=1)
    """A second, deeper fall that it is made for, which is found sooner."""
    collapse_threshold: float = Field(default=12.0, gt=0)
    """Evidence at which a collapse of CTR is an alarm."""
    error_rate: float = Field(default=0.01, gt=0, lt=1)
    """Share of failed answers that is usual."""
    error_rise: float = Field(default=0.2, gt=0, lt=1)
    """Share of failed answers that the detector is made for."""
    error_threshold: float = Field(default=12.0, gt=0)
    """Evidence at which errors are an alarm."""
    latency_least_ms: float = Field(default=250.0, gt=0)
    """A p95 below this is never an alarm."""
    learn_values: int = Field(default=30, ge=5)
    """Values of latency and score from which their usual spread is learned."""
    chart_limit: float = Field(default=8.0, gt=0)
    """Deviations of the smoothed value from the usual one that are an alarm."""
    drift_delta: float = Field(default=1e-5, gt=0, lt=1)
    """ADWIN's confidence for changes of inputs and of CTR that are noted only."""


class GuardConfig(_Config):
    """When the ladder moves, and when it moves back. Stability: full."""

    cool_down_s: float = Field(default=30.0, ge=0)
    """Seconds after a fall before a higher rung is probed."""
    cool_down_most_s: float = Field(default=600.0, ge=0)
    """The cool-down doubles with each fall soon after a climb, up to this."""
    relapse_s: float = Field(default=300.0, ge=0)
    """A fall within so many seconds after a climb is a relapse."""
    checks_passed: int = Field(default=3, ge=1)
    """Self-checks that a higher rung has to pass one after the other before it is probed."""
    probe_every: int = Field(default=10, ge=2)
    """While a higher rung is probed, one of so many questions is asked of it."""
    probe_answers: int = Field(default=30, ge=1)
    """Probes after which the guard decides."""
    probe_s: float = Field(default=30.0, ge=0)
    """Seconds after which it decides anyway: where few ask, the self-check has to be enough."""
    probe_errors: float = Field(default=0.1, ge=0, le=1)
    """Share of failed probes above which the guard stays where it is."""
    probe_deviations: float = Field(default=2.0, gt=0)
    """Standard errors by which the CTR of probes may be below that of the rung in force."""
    moves_kept: int = Field(default=200, ge=1)
    """Moves that are remembered."""
