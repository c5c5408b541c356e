"""The bodies of the health endpoints. Field names are the API: a change here is a breaking change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trifocal.feedback.health import Alarm, DetectorState, Move
from trifocal.feedback.kpis import WindowKpis
from trifocal.ports import CacheStats
from trifocal.serve.watch.catalogue_health import CatalogueHealth
from trifocal.serve.watch.course import CoursePoint
from trifocal.serve.watch.report import HealthReport
from trifocal.serve.watch.variant_watch import LadderState

__all__ = ["AlarmCount", "CatalogueAnswer", "CourseAnswer", "HealthAnswer", "RungAnswer", "RungBody"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AlarmCount(_Body):
    """How many alarms there were of one kind."""

    signal: str
    severity: str
    count: int


class CacheAnswer(_Body):
    """What one level of a cache did since it was made."""

    cache: str
    level: str
    hits: int
    misses: int
    is_available: bool


class HealthAnswer(_Body):
    """Everything that the service knows of itself."""

    status: Literal["well", "fallen", "forced", "off"]
    """`well`: every ladder is at its top; `fallen`: one is not; `forced`: by hand; `off`: nobody watches."""
    at_s: float
    """When, seconds since 1970, UTC."""
    model_version: str
    """Of the bundle in force."""
    ladders: tuple[LadderState, ...]
    """One for each engine that answers; the first is that of the bundle."""
    inputs: dict[str, tuple[DetectorState, ...]]
    """Signal of what comes in -> where its detectors stand."""
    alarms: tuple[Alarm, ...]
    """The newest ones, oldest first."""
    alarm_counts: tuple[AlarmCount, ...]
    """How many there were since the start."""
    kpis: tuple[WindowKpis, ...]
    """One for each window, the shortest first as the settings say."""
    caches: tuple[CacheAnswer, ...]
    """Each level of each cache."""
    skipped: int
    """Answers and batches of events that were not looked at, because too many came."""

    @classmethod
    def of(cls, report: HealthReport, caches: Mapping[str, tuple[CacheStats, ...]], *, enabled: bool) -> HealthAnswer:
        """Return the answer that tells `report`."""
        phases = {ladder.phase for ladder in report.ladders}
        fallen: Literal["well", "fallen"] = "fallen" if phases - {"steady"} else "well"
        status: Literal["well", "fallen", "forced"] = "forced" if "forced" in phases else fallen
        return cls(
            status=status if enabled else "off",
            at_s=report.at_s,
            model_version=report.model_version,
            ladders=report.ladders,
            inputs=report.inputs,
            alarms=report.alarms,
            alarm_counts=tuple(
                AlarmCount(signal=signal, severity=severity, count=count)
                for (signal, severity), count in sorted(report.alarm_counts.items())
            ),
            kpis=report.kpis,
            caches=tuple(
                CacheAnswer(
                    cache=name, level=level.level, hits=level.hits, misses=level.misses, is_available=level.is_available
                )
                for name, levels in caches.items()
                for level in levels
            ),
            skipped=report.skipped,
        )


class CourseAnswer(_Body):
    """Key figures and rungs of the last while."""

    every_s: float
    """Seconds between two points."""
    window_s: int
    """Length of the window that each point tells of, in seconds."""
    points: tuple[CoursePoint, ...]
    """Oldest first; at each moment one for everything and one for each variant."""


class CatalogueAnswer(_Body):
    """How whole the catalogue is."""

    every_s: float
    """Seconds between two counts."""
    health: CatalogueHealth | None
    """As it was counted last; null: not yet."""


class RungBody(_Body):
    """Which rung is to be in force."""

    rung: Literal["full", "retrieval", "memory", "last", "popular"] | None
    """Its name; null = the service decides again."""
    variant: str | None = Field(default=None, max_length=50)
    """On the ladder of which variant; default is all."""


class RungAnswer(_Body):
    """What was moved: empty where that rung was in force already."""

    moves: tuple[Move, ...]
