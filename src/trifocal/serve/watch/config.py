"""Settings of the watch. Imports nothing of this stage."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trifocal.feedback.health.config import DetectorConfig, GuardConfig
from trifocal.feedback.kpis.config import KpiConfig

__all__ = ["WatchConfig"]


class WatchConfig(BaseModel):
    """How the service watches itself. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    enabled: bool = True
    """Whether it does; else every question begins at the top of the ladder."""
    moves: bool = True
    """Whether alarms move the ladder; else they are told only."""
    tick_s: float = Field(default=0.25, gt=0)
    """Seconds between two looks at what came in."""
    queue: int = Field(default=20_000, ge=1)
    """Answers and batches of events that may wait to be looked at; what comes beyond is counted, and not looked at."""
    check_s: float = Field(default=2.0, gt=0)
    """Seconds between two self-checks."""
    check_answers: int = Field(default=15, ge=1)
    """Answers after which there is a self-check all the same, however soon: a broken model shows few lists."""
    check_least_s: float = Field(default=1.0, gt=0)
    """Least seconds between two self-checks."""
    questions: int = Field(default=32, ge=1, le=1000)
    """Golden questions, drawn from the bundle's histories."""
    questions_a_check: int = Field(default=1, ge=1)
    """Of which so many are asked at each self-check; where their lists changed, all are asked."""
    overlap: float = Field(default=0.75, ge=0, le=1)
    """Share of the items of the golden lists that a healthy rung still answers."""
    refill_events: int = Field(default=200_000, ge=0)
    """Newest events of the store that are counted again after a restart."""
    course_s: float = Field(default=10.0, gt=0)
    """Seconds between two points of the course that the dashboard draws."""
    course_points: int = Field(default=360, ge=2, le=10_000)
    """Points that are kept: with the default, those of an hour."""
    catalogue_s: float = Field(default=30.0, gt=0)
    """Seconds between two counts of what the items lack."""
    pictures_s: float = Field(default=3600.0, gt=0)
    """Seconds after which picture files that were looked at are looked at again."""
    seed: int = 0
    """Of the draw."""
    guard: GuardConfig = GuardConfig()
    """When the ladder moves."""
    detectors: DetectorConfig = DetectorConfig()
    """When a signal is out of order."""
    kpis: KpiConfig = KpiConfig()
    """What is counted."""
